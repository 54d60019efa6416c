/* Lists the agents of a store as a table, and creates two of them first when there are none.
 *
 *   cc -std=c99 list_agents.c -lmuster -ljansson -o list_agents
 *   ./list_agents agents.db
 */
#include <jansson.h>
#include <muster.h>
#include <stdio.h>
#include <stdlib.h>

/* Prints why a call failed, frees the error, and gives the exit code of the program. */
static int failed(const char *what, muster_error *error) {
  fprintf(stderr, "%s: %s\n", what, muster_error_message(error));
  muster_error_free(error);
  return EXIT_FAILURE;
}

/* Turns an answer of the library into a jansson value and frees the text. */
static json_t *parse(char *text) {
  json_t *value = json_loads(text, JSON_DECODE_ANY, NULL);
  muster_free(text);
  return value;
}

static const char *text_of(const json_t *object, const char *key) {
  const char *text = json_string_value(json_object_get(object, key));
  return text != NULL ? text : "";
}

static int create_agent(muster *plane, const char *body) {
  muster_error *error = NULL;
  /* The answer is the whole agent; it is not needed here, so both outputs are NULL. */
  if (muster_agent_create(plane, body, NULL, NULL, &error) != MUSTER_OK) {
    return failed("cannot create an agent", error);
  }
  return EXIT_SUCCESS;
}

/* Gets the first page of agents: {"items":[...],"total":N,...}. NULL after an error. */
static json_t *list(muster *plane) {
  muster_error *error = NULL;
  char *text = NULL;
  if (muster_agents_list(plane, 1, 50, &text, NULL, &error) != MUSTER_OK) {
    failed("cannot list the agents", error);
    return NULL;
  }
  return parse(text);
}

static void print_table(const json_t *page) {
  size_t index;
  json_t *agent;
  printf("%-36s  %-16s  %-8s  %s\n", "ID", "NAME", "STATUS", "MODEL");
  json_array_foreach(json_object_get(page, "items"), index, agent) {
    printf("%-36s  %-16s  %-8s  %s/%s\n", text_of(agent, "id"), text_of(agent, "name"), text_of(agent, "status"),
           text_of(agent, "model_provider"), text_of(agent, "model_name"));
  }
}

static int run(muster *plane) {
  json_t *page = list(plane);
  if (page == NULL) {
    return EXIT_FAILURE;
  }
  if (json_integer_value(json_object_get(page, "total")) == 0) {
    json_decref(page);
    if (create_agent(plane, "{\"name\":\"Researcher\",\"instructions\":{\"general\":\"Answer with facts.\"}}") != 0 ||
        create_agent(plane, "{\"name\":\"Poet\",\"instructions\":{\"general\":\"Answer in rhyme.\"}}") != 0) {
      return EXIT_FAILURE;
    }
    page = list(plane);
    if (page == NULL) {
      return EXIT_FAILURE;
    }
  }
  print_table(page);
  json_decref(page);
  return EXIT_SUCCESS;
}

int main(int argc, char **argv) {
  muster *plane = NULL;
  muster_error *error = NULL;
  int code;
  if (argc != 2) {
    fprintf(stderr, "usage: %s STORE\n", argv[0]);
    return 2;
  }
  /* The store is one file. It is created when it does not exist. */
  if (muster_open(argv[1], NULL, &plane, &error) != MUSTER_OK) {
    return failed("cannot open the store", error);
  }
  code = run(plane);
  muster_close(plane);
  return code;
}
