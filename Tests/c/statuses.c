/* Numbers, names, sizes and offsets that hosts have compiled in never change. */
#include <jansson.h>
#include <muster.h>

#include "check.h"

static const struct {
  int32_t number, pinned;
  const char *name;
} statuses[] = {
    {MUSTER_OK, 0, "OK"},
    {MUSTER_E_MISUSE, 1, "MISUSE"},
    {MUSTER_E_BAD_HANDLE, 2, "BAD_HANDLE"},
    {MUSTER_E_UTF8, 3, "UTF8"},
    {MUSTER_E_JSON, 4, "JSON"},
    {MUSTER_E_LIMIT, 5, "LIMIT"},
    {MUSTER_E_UNKNOWN_OP, 6, "UNKNOWN_OP"},
    {MUSTER_E_WOULD_DEADLOCK, 7, "WOULD_DEADLOCK"},
    {MUSTER_E_FORKED, 8, "FORKED"},
    {MUSTER_E_API, 20, "API"},
    {MUSTER_E_BUSY, 40, "BUSY"},
    {MUSTER_E_TIMEOUT, 41, "TIMEOUT"},
    {MUSTER_E_STORE, 42, "STORE"},
    {MUSTER_E_NETWORK, 43, "NETWORK"},
    {MUSTER_E_CANCELLED, 60, "CANCELLED"},
    {MUSTER_E_CLOSED, 61, "CLOSED"},
    {MUSTER_E_UNSUPPORTED, 90, "UNSUPPORTED"},
    {MUSTER_E_INTERNAL, 99, "INTERNAL"},
};

static void numbers_and_names(void) {
  size_t index, count = sizeof statuses / sizeof statuses[0];
  int32_t number;
  for (index = 0; index < count; index++) {
    CHECK_INTEGER(statuses[index].pinned, statuses[index].number);
    CHECK_TEXT(statuses[index].name, muster_status_name(statuses[index].number));
  }
  for (number = -1000; number < 1000; number++) {
    for (index = 0; index < count && statuses[index].pinned != number; index++) {
    }
    if (index == count && strcmp(muster_status_name(number), "UNKNOWN") != 0) {
      CHECK_TEXT("UNKNOWN", muster_status_name(number));
    }
  }
  CHECK_TEXT("UNKNOWN", muster_status_name(INT32_MIN));
  CHECK_TEXT("UNKNOWN", muster_status_name(INT32_MAX));
}

/* The sizes are those of a 64-bit host; a 32-bit one has its own. */
static void layout(void) {
  printf("muster_host: size %zu, struct_size %zu, user_data %zu, log %zu, secrets_key %zu, release %zu\n",
         sizeof(muster_host), offsetof(muster_host, struct_size), offsetof(muster_host, user_data),
         offsetof(muster_host, log), offsetof(muster_host, secrets_key), offsetof(muster_host, release));
  CHECK_INTEGER(5 * sizeof(void *), sizeof(muster_host));
  CHECK_INTEGER(0, offsetof(muster_host, struct_size));
  CHECK_INTEGER(1 * sizeof(void *), offsetof(muster_host, user_data));
  CHECK_INTEGER(2 * sizeof(void *), offsetof(muster_host, log));
  CHECK_INTEGER(3 * sizeof(void *), offsetof(muster_host, secrets_key));
  CHECK_INTEGER(4 * sizeof(void *), offsetof(muster_host, release));
  printf("muster_event: size %zu, ticket %zu, user_data %zu, kind %zu, status %zu, sequence %zu, json %zu, json_len %zu, "
         "error %zu\n",
         sizeof(muster_event), offsetof(muster_event, ticket), offsetof(muster_event, user_data),
         offsetof(muster_event, kind), offsetof(muster_event, status), offsetof(muster_event, sequence),
         offsetof(muster_event, json), offsetof(muster_event, json_len), offsetof(muster_event, error));
  CHECK_INTEGER(64, sizeof(muster_event));
  CHECK_INTEGER(0, offsetof(muster_event, struct_size));
  CHECK_INTEGER(8, offsetof(muster_event, ticket));
  CHECK_INTEGER(16, offsetof(muster_event, user_data));
  CHECK_INTEGER(24, offsetof(muster_event, kind));
  CHECK_INTEGER(28, offsetof(muster_event, status));
  CHECK_INTEGER(32, offsetof(muster_event, sequence));
  CHECK_INTEGER(40, offsetof(muster_event, json));
  CHECK_INTEGER(48, offsetof(muster_event, json_len));
  CHECK_INTEGER(56, offsetof(muster_event, error));
  CHECK_INTEGER(4, sizeof(muster_status));
  CHECK_INTEGER(8, sizeof(muster_ticket));
}

static void versions(void) {
  int major = 0, minor = 0, patch = 0;
  CHECK_TEXT(MUSTER_VERSION, muster_version());
  CHECK_INTEGER(MUSTER_VERSION_NUMBER, muster_version_number());
  CHECK_INTEGER(MUSTER_ABI_VERSION, muster_abi_version());
  CHECK_INTEGER(3, sscanf(muster_version(), "%d.%d.%d", &major, &minor, &patch));
  CHECK_INTEGER(major * 1000000 + minor * 1000 + patch, muster_version_number());
  CHECK_INTEGER(1, MUSTER_ABI_VERSION);
  CHECK_INTEGER(1, MUSTER_LOG_ERROR);
  CHECK_INTEGER(2, MUSTER_LOG_WARNING);
  CHECK_INTEGER(3, MUSTER_LOG_INFO);
  CHECK_INTEGER(4, MUSTER_LOG_DEBUG);
  CHECK_INTEGER(1, MUSTER_EVENT_DATA);
  CHECK_INTEGER(2, MUSTER_EVENT_FINAL);
  CHECK_INTEGER(3, MUSTER_EVENT_TOOL_CALL);
  CHECK_INTEGER(4, MUSTER_EVENT_TOOL_CANCEL);
  CHECK_INTEGER(67108864, MUSTER_MAX_REQUEST_BYTES);
  CHECK_INTEGER(128, MUSTER_MAX_JSON_DEPTH);
  CHECK_INTEGER(126, MUSTER_MAX_BODY_DEPTH);
  CHECK_INTEGER(262144, MUSTER_MIN_STACK_BYTES);
}

static void build_info(void) {
  const char *text = muster_build_info();
  json_t *info = json_loads(text, 0, NULL), *operations, *operation, *number;
  const char *name;
  size_t index, count = sizeof statuses / sizeof statuses[0];
  int invokes = 0;
  if (!CHECK(json_is_object(info))) {
    return;
  }
  CHECK(text == muster_build_info());
  CHECK_TEXT(muster_version(), json_string_value(json_object_get(info, "version")));
  CHECK_INTEGER(MUSTER_ABI_VERSION, json_integer_value(json_object_get(info, "abi_version")));
  CHECK_INTEGER(count, json_object_size(json_object_get(info, "statuses")));
  json_object_foreach(json_object_get(info, "statuses"), name, number) {
    CHECK_TEXT(name, muster_status_name((muster_status)json_integer_value(number)));
  }
  CHECK_TEXT(jansson_version_str(), json_string_value(json_object_get(json_object_get(info, "libraries"), "jansson")));
  CHECK(json_is_string(json_object_get(json_object_get(info, "libraries"), "sqlite")));
  CHECK(json_object_get(json_object_get(info, "libraries"), "curl") != NULL);
  CHECK(json_object_size(json_object_get(info, "limits")) > 0);
  CHECK(json_array_size(json_object_get(info, "stores")) > 0);
  CHECK(json_object_size(json_object_get(info, "schemas")) > 0);
  operations = json_object_get(info, "operations");
  CHECK(json_array_size(operations) >= 15);
  json_array_foreach(operations, index, operation) {
    const char *wanted[] = {"name", "method", "path", "parameters", "body", "answer", "success", "since"};
    for (count = 0; count < sizeof wanted / sizeof wanted[0]; count++) {
      CHECK(json_object_get(operation, wanted[count]) != NULL);
    }
    invokes += strcmp(json_string_value(json_object_get(operation, "name")), "agents.invoke") == 0;
  }
  CHECK_INTEGER(1, invokes);
  json_decref(info);
}

int main(void) {
  numbers_and_names();
  layout();
  versions();
  build_info();
  return check_finish("statuses");
}
