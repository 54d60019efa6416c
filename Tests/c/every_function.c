/* Takes the address of every declared function. Linked with -z defs, so a function that the library lacks does not
 * link; the runner compares this list with the headers and with what the library exports. */
#include <muster.h>
#include <muster_jansson.h>

#include "check.h"

#define FUNCTION(name) {#name, (void (*)(void))name}

static const struct {
  const char *name;
  void (*address)(void);
} functions[] = {
    FUNCTION(muster_version),
    FUNCTION(muster_version_number),
    FUNCTION(muster_abi_version),
    FUNCTION(muster_build_info),
    FUNCTION(muster_status_name),
    FUNCTION(muster_error_status),
    FUNCTION(muster_error_http_status),
    FUNCTION(muster_error_retryable),
    FUNCTION(muster_error_message),
    FUNCTION(muster_error_json),
    FUNCTION(muster_error_free),
    FUNCTION(muster_free),
    FUNCTION(muster_open),
    FUNCTION(muster_close),
    FUNCTION(muster_ticket_new),
    FUNCTION(muster_cancel),
    FUNCTION(muster_resume),
    FUNCTION(muster_call),
    FUNCTION(muster_agents_list),
    FUNCTION(muster_agents_list_full),
    FUNCTION(muster_agent_get),
    FUNCTION(muster_agent_create),
    FUNCTION(muster_agent_update),
    FUNCTION(muster_agent_deploy),
    FUNCTION(muster_agent_delete),
    FUNCTION(muster_agent_invoke),
    FUNCTION(muster_tasks_list),
    FUNCTION(muster_task_get),
    FUNCTION(muster_task_stop),
    FUNCTION(muster_task_thread),
    FUNCTION(muster_task_delete),
    FUNCTION(muster_http),
    FUNCTION(muster_queue_open),
    FUNCTION(muster_queue_close),
    FUNCTION(muster_queue_next),
    FUNCTION(muster_queue_drain),
    FUNCTION(muster_queue_fd),
    FUNCTION(muster_event_clear),
    FUNCTION(muster_submit),
    FUNCTION(muster_agent_invoke_stream),
    FUNCTION(muster_agent_invoke_async),
    FUNCTION(muster_http_submit),
    FUNCTION(muster_tool_register),
    FUNCTION(muster_tool_register_queue),
    FUNCTION(muster_tool_unregister),
    FUNCTION(muster_tool_reply),
    FUNCTION(muster_tool_cancelled),
    FUNCTION(muster_serve),
    FUNCTION(muster_server_url),
    FUNCTION(muster_server_stop),
    FUNCTION(muster_call_j),
    FUNCTION(muster_event_json),
};

int main(void) {
  size_t count = sizeof functions / sizeof functions[0];
  for (size_t index = 0; index < count; index++) {
    CHECK(functions[index].address != NULL);
    for (size_t other = 0; other < index; other++) {
      /* Two names for one address would be a linker that folded two functions: a host that compares them would err. */
      CHECK(functions[index].address != functions[other].address);
    }
  }
  return check_finish("every_function");
}
