/* SPDX-License-Identifier: Apache-2.0
 *
 * mock.h - what the mock model server saw, as tests ask it.
 */
#ifndef MUSTER_TEST_MOCK_H
#define MUSTER_TEST_MOCK_H

#include <arpa/inet.h>
#include <sys/socket.h>

#include "plane.h"

/* Asks the mock over plain HTTP; gives the JSON of its answer. */
static inline json_t *ask_mock(const char *request) {
  const char *base = getenv("MODEL_BASE"), *colon = base != NULL ? strrchr(base, ':') : NULL;
  struct sockaddr_in address;
  char text[65536];
  size_t used = 0;
  ssize_t got;
  int descriptor = socket(AF_INET, SOCK_STREAM, 0);
  memset(&address, 0, sizeof address);
  address.sin_family = AF_INET;
  address.sin_port = htons((uint16_t)(colon != NULL ? atoi(colon + 1) : 0));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  CHECK_INTEGER(0, connect(descriptor, (struct sockaddr *)&address, sizeof address));
  snprintf(text, sizeof text, "%s HTTP/1.1\r\nHost: mock\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", request);
  CHECK(write(descriptor, text, strlen(text)) == (ssize_t)strlen(text));
  while (used < sizeof text - 1 && (got = read(descriptor, text + used, sizeof text - 1 - used)) > 0) {
    used += (size_t)got;
  }
  close(descriptor);
  text[used] = 0;
  return strstr(text, "\r\n\r\n") != NULL ? json_loads(strstr(text, "\r\n\r\n") + 4, JSON_DECODE_ANY, NULL) : NULL;
}

#endif
