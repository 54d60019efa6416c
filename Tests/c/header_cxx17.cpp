/* The headers are C++17 without a warning, and what they declare has C linkage. */
#include <muster_jansson.h>
#include <muster.h>

#include <type_traits>

static_assert(std::is_same_v<muster_status, int32_t>);
static_assert(std::is_same_v<muster_ticket, uint64_t>);
static_assert(std::is_standard_layout_v<muster_host> && std::is_trivial_v<muster_host>);

extern "C" const char *muster_version(void);
extern "C" muster_status muster_close(muster *plane);

int main() {
  const muster_host host = MUSTER_HOST_INIT;
  return host.struct_size == sizeof(muster_host) && host.release == nullptr ? 0 : 1;
}
