/* The headers are C++17 without a warning, and what they declare has C linkage. */
#include <muster_jansson.h>
#include <muster.h>

#include <cstddef>
#include <type_traits>

static_assert(std::is_same_v<muster_status, int32_t>);
static_assert(std::is_same_v<muster_ticket, uint64_t>);
static_assert(std::is_standard_layout_v<muster_host> && std::is_trivial_v<muster_host>);

static_assert(std::is_standard_layout_v<muster_event> && std::is_trivial_v<muster_event>);
static_assert(sizeof(muster_event) == 64 && offsetof(muster_event, struct_size) == 0 &&
              offsetof(muster_event, ticket) == 8 && offsetof(muster_event, user_data) == 16 &&
              offsetof(muster_event, kind) == 24 && offsetof(muster_event, status) == 28 &&
              offsetof(muster_event, sequence) == 32 && offsetof(muster_event, json) == 40 &&
              offsetof(muster_event, json_len) == 48 && offsetof(muster_event, error) == 56);

extern "C" const char *muster_version(void);
extern "C" muster_status muster_close(muster *plane);

int main() {
  const muster_host host = MUSTER_HOST_INIT;
  const muster_event event = MUSTER_EVENT_INIT;
  return event.struct_size == sizeof(muster_event) && event.error == nullptr && host.struct_size == sizeof(muster_host) && host.release == nullptr ? 0 : 1;
}
