/* Network policies, with name servers that change their mind. argv[1]: an empty folder. Needs the mock at MODEL_BASE,
 * and is linked so that libcurl finds the getaddrinfo() of this file. */
#define _POSIX_C_SOURCE 200809L
#include <arpa/inet.h>
#include <netdb.h>
#include <sys/socket.h>

#include "plane.h"

/* What the name resolves to, with blanks between. */
static const char *addresses = "127.0.0.1";
static int questions;

static struct addrinfo *one(const char *text, const char *service) {
  struct addrinfo *info = calloc(1, sizeof *info + sizeof(struct sockaddr_in6));
  in_port_t port = htons((uint16_t)(service != NULL ? atoi(service) : 0));
  if (info == NULL) {
    abort();
  }
  info->ai_socktype = SOCK_STREAM;
  info->ai_protocol = IPPROTO_TCP;
  info->ai_addr = (struct sockaddr *)(info + 1);
  if (strchr(text, ':') != NULL) {
    struct sockaddr_in6 *address = (struct sockaddr_in6 *)(info + 1);
    info->ai_family = address->sin6_family = AF_INET6;
    info->ai_addrlen = sizeof *address;
    address->sin6_port = port;
    CHECK_INTEGER(1, inet_pton(AF_INET6, text, &address->sin6_addr));
  } else {
    struct sockaddr_in *address = (struct sockaddr_in *)(info + 1);
    info->ai_family = address->sin_family = AF_INET;
    info->ai_addrlen = sizeof *address;
    address->sin_port = port;
    CHECK_INTEGER(1, inet_pton(AF_INET, text, &address->sin_addr));
  }
  return info;
}

int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **found) {
  char text[256], *rest = NULL;
  struct addrinfo **end = found;
  (void)hints;
  *found = NULL;
  __atomic_add_fetch(&questions, 1, __ATOMIC_SEQ_CST);
  if (node == NULL || strcmp(node, "changing.test") != 0) {
    return EAI_NONAME;
  }
  snprintf(text, sizeof text, "%s", addresses);
  for (char *word = strtok_r(text, " ", &rest); word != NULL; word = strtok_r(NULL, " ", &rest)) {
    *end = one(word, service);
    end = &(*end)->ai_next;
  }
  return 0;
}

void freeaddrinfo(struct addrinfo *info) {
  while (info != NULL) {
    struct addrinfo *next = info->ai_next;
    free(info);
    info = next;
  }
}

/* Runs the agent on a plane of its own, which has asked no name server yet. Gives the task. */
static json_t *run(const char *path, const char *agent, const char *network) {
  char config[512], *text = NULL;
  muster *plane = NULL;
  muster_error *error = NULL;
  snprintf(config, sizeof config, "{\"store\":\"%s\",\"network\":%s}", path, network);
  if (!CHECK_INTEGER(MUSTER_OK, muster_open(config, NULL, &plane, &error))
      || !CHECK_INTEGER(MUSTER_OK, muster_agent_invoke(plane, agent, NULL, "{\"input\":{\"text\":\"hi\"}}", 20000, &text,
                                                       NULL, &error))) {
    report(network, error);
    exit(1);
  }
  muster_close(plane);
  return parse(text);
}

static void expect(const char *path, const char *agent, const char *network, const char *resolved, const char *status,
                   const char *internal_status) {
  int before = __atomic_load_n(&questions, __ATOMIC_SEQ_CST);
  json_t *task;
  addresses = resolved;
  task = run(path, agent, network);
  if (!CHECK_TEXT(status, text_at(task, "status")) || !CHECK(__atomic_load_n(&questions, __ATOMIC_SEQ_CST) > before)) {
    fprintf(stderr, "  with %s at %s: %s\n", network, resolved, text_at(task, "result"));
  }
  if (internal_status != NULL) {
    CHECK_TEXT(internal_status, text_at(task, "internal_status"));
    /* Where the name leads is nobody's business. */
    CHECK(strstr(text_at(task, "result"), resolved) == NULL);
    CHECK(strstr(text_at(task, "result"), "changing.test") != NULL);
  }
  json_decref(task);
}

int main(int argc, char **argv) {
  const char *base = getenv("MODEL_BASE");
  char body[256], *path, *id, *text = NULL;
  int port = 0;
  muster *plane;
  json_t *agent;
  if (argc < 2 || base == NULL || sscanf(base, "http://127.0.0.1:%d/", &port) != 1) {
    fprintf(stderr, "usage: MODEL_BASE=http://127.0.0.1:PORT/v1 network FOLDER\n");
    return 2;
  }
  path = path_in(argv[1], "agents.db");
  plane = open_store(path, "fixed");
  snprintf(body, sizeof body,
           "{\"name\":\"A\",\"model_provider\":\"openai_compatible\",\"model_name\":\"fixed\","
           "\"llm_api_base\":\"http://changing.test:%d/v1\"}",
           port);
  CHECK_INTEGER(MUSTER_OK, muster_agent_create(plane, body, &text, NULL, NULL));
  agent = parse(text);
  id = strdup(text_at(agent, "id"));
  json_decref(agent);
  muster_close(plane);

  /* The same name, asked again and again: what it leads to now is what counts. */
  expect(path, id, "\"open\"", "127.0.0.1", "completed", NULL);
  expect(path, id, "\"public\"", "127.0.0.1", "error", "model_forbidden");
  expect(path, id, "[\"loopback\"]", "127.0.0.1", "completed", NULL);
  expect(path, id, "[\"loopback\"]", "10.0.0.1", "error", "model_forbidden");
  expect(path, id, "[\"loopback\"]", "169.254.169.254", "error", "model_forbidden");
  expect(path, id, "[\"loopback\"]", "::ffff:169.254.169.254", "error", "model_forbidden");
  expect(path, id, "[\"private\"]", "127.0.0.1", "error", "model_forbidden");
  expect(path, id, "[\"private\"]", "::1", "error", "model_forbidden");
  expect(path, id, "\"public\"", "fd00:ec2::254", "error", "model_forbidden");
  expect(path, id, "\"public\"", "0.0.0.0", "error", "model_forbidden");
  /* Of several addresses those that are allowed are taken. */
  expect(path, id, "[\"loopback\"]", "10.0.0.1 169.254.169.254 127.0.0.1", "completed", NULL);
  /* A host that is allowed by name may be anywhere; its port has to fit. */
  expect(path, id, "[\"changing.test\"]", "127.0.0.1", "completed", NULL);
  expect(path, id, "[\"changing.test:1\"]", "127.0.0.1", "error", "model_forbidden");
  expect(path, id, "[\"other.test\"]", "127.0.0.1", "error", "model_forbidden");
  free(id);
  free(path);
  return check_finish("network");
}
