/* SPDX-License-Identifier: Apache-2.0
 *
 * serve_ready_empty PORT - the least that answers with libmicrohttpd, until it is killed.
 */
#include <arpa/inet.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <unistd.h>

static enum MHD_Result answer(void *context, struct MHD_Connection *connection, const char *url, const char *method, const char *version,
                              const char *body, size_t *size, void **state) {
  (void)context, (void)url, (void)method, (void)version, (void)body, (void)size, (void)state;
  struct MHD_Response *response = MHD_create_response_from_buffer(4, (void *)"\"ok\"", MHD_RESPMEM_PERSISTENT);
  enum MHD_Result result = MHD_queue_response(connection, MHD_HTTP_OK, response);
  MHD_destroy_response(response);
  return result;
}

int main(int count, char **arguments) {
  if (count != 2) return 2;
  struct sockaddr_in address = {
      .sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(arguments[1])), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  struct MHD_Daemon *daemon = MHD_start_daemon(MHD_USE_EPOLL_INTERNAL_THREAD, 0, NULL, NULL, answer, NULL, MHD_OPTION_SOCK_ADDR, &address,
                                               MHD_OPTION_END);
  if (daemon == NULL) return 2;
  for (;;) pause();
}
