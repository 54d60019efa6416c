/* SPDX-License-Identifier: Apache-2.0
 *
 * worker.c - changes a store from many threads until it is killed, and notes what was acknowledged.
 *
 *   worker work STORE ACKS THREADS NAME MODEL   works until it is killed
 *   worker race STORE SECONDS START THREADS     creates agents for SECONDS from START (ms since 1970) on, and prints
 *                                               how many
 *
 * Each line of ACKS is one write with O_APPEND, made after the call has returned:
 *   create ID NAME                       the agent is there
 *   update ID VALUE                      its working copy has the description VALUE; values of an agent count upwards
 *   deploy ID VERSION VALUE              and so has this version of it
 *   shared ID VERSION VALUE              this version of an agent that all threads change has the description VALUE
 *   turn TASK AGENT TURN INPUT RESULT    this turn of the task has completed
 *   deleting ID, delete ID               before and after the agent was deleted
 *   fail WHAT STATUS MESSAGE             a call failed: nothing here may fail
 */
#include "host.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <unistd.h>

enum { AGENTS = 4, TASKS = 3 };

static muster *plane;
static int acks = -1;
static const char *name;
static char *shared;

/* An agent that threads invoke and delete at the same time. */
static pthread_mutex_t victim_lock = PTHREAD_MUTEX_INITIALIZER;
static char victim[64];

static void note(const char *format, ...) {
  char line[1024];
  va_list rest;
  int length;
  va_start(rest, format);
  length = vsnprintf(line, sizeof line - 1, format, rest);
  va_end(rest);
  if (length > (int)sizeof line - 2) {
    length = (int)sizeof line - 2;
  }
  line[length] = '\n';
  if (acks >= 0 && write(acks, line, (size_t)length + 1) != length + 1) {
    abort();
  }
}

/* Calls an operation and gives its answer; NULL when it failed. `allowed`: the HTTP status that is no failure here. */
static json_t *call(const char *operation, json_t *args, int allowed) {
  json_t *answer = NULL;
  muster_error *error = NULL;
  muster_status status = muster_call_j(plane, operation, args, 0, &answer, &error);
  json_decref(args);
  if (status != MUSTER_OK) {
    if (allowed == 0 || muster_error_http_status(error) != allowed) {
      note("fail\t%s\t%s\t%s", operation, muster_status_name(status), muster_error_message(error));
    }
    muster_error_free(error);
    return NULL;
  }
  return answer;
}

struct agent {
  char id[64];
  long value;
};

struct task {
  char id[64];
  int agent, turn;
};

struct thread {
  pthread_t thread;
  int number;
  unsigned int seed;
  long count;
  struct agent agents[AGENTS];
  struct task tasks[TASKS];
};

static void create(struct thread *me, struct agent *agent) {
  char text[128];
  json_t *answer;
  snprintf(text, sizeof text, "%s-%d-%ld", name, me->number, me->count++);
  agent->value = 0;
  answer = call("agents.create", json_pack("{s:{s:s, s:s}}", "body", "name", text, "description", "0"), 0);
  snprintf(agent->id, sizeof agent->id, "%s", text_at(answer, "id"));
  if (answer != NULL) {
    note("create\t%s\t%s", agent->id, text);
  }
  json_decref(answer);
}

static void update(struct agent *agent, bool deploys) {
  char text[32];
  json_t *answer;
  snprintf(text, sizeof text, "%ld", agent->value + 1);
  answer = call("agents.update", json_pack("{s:s, s:b, s:{s:s}}", "agent_id", agent->id, "deploy", deploys, "body",
                                           "description", text), 0);
  if (answer != NULL) {
    agent->value++;
    if (deploys) {
      note("deploy\t%s\t%lld\t%s", agent->id, integer_at(answer, "version"), text);
    } else {
      note("update\t%s\t%s", agent->id, text);
    }
  }
  json_decref(answer);
}

static void deploy(struct agent *agent) {
  json_t *answer = call("agents.deploy", json_pack("{s:s}", "agent_id", agent->id), 0);
  if (answer != NULL) {
    note("deploy\t%s\t%lld\t%ld", agent->id, integer_at(answer, "version"), agent->value);
  }
  json_decref(answer);
}

static void change_shared(struct thread *me) {
  char text[64];
  json_t *answer;
  snprintf(text, sizeof text, "%d-%ld", me->number, me->count++);
  answer = call("agents.update",
                json_pack("{s:s, s:b, s:{s:s}}", "agent_id", shared, "deploy", 1, "body", "description", text), 0);
  if (answer != NULL) {
    note("shared\t%s\t%lld\t%s", shared, integer_at(answer, "version"), text);
  }
  json_decref(answer);
}

static void invoke(struct thread *me, struct task *task, int agent) {
  char text[128];
  json_t *answer;
  if (task->id[0] == 0) {
    snprintf(task->id, sizeof task->id, "%s-%d-%ld", name, me->number, me->count++);
    task->agent = agent;
    task->turn = 0;
  }
  snprintf(text, sizeof text, "turn %d of %s", task->turn + 1, task->id);
  answer = call("agents.invoke", json_pack("{s:s, s:{s:s, s:{s:s}}}", "agent_id", me->agents[task->agent].id, "body",
                                           "id", task->id, "input", "text", text), 0);
  if (answer != NULL) {
    task->turn++;
    if (strcmp(text_at(answer, "status"), "completed") != 0) {
      note("fail\tagents.invoke\t%s\t%s", text_at(answer, "status"), text_at(answer, "result"));
    } else {
      note("turn\t%s\t%s\t%d\t%s\t%s", task->id, me->agents[task->agent].id, task->turn, text,
           text_at(answer, "result"));
    }
  }
  json_decref(answer);
}

static void delete(struct thread *me, int index) {
  char *id = me->agents[index].id;
  note("deleting\t%s", id);
  call("agents.delete", json_pack("{s:s}", "agent_id", id), 0);
  note("delete\t%s", id);
  *id = 0;
  for (int task = 0; task < TASKS; task++) {
    if (me->tasks[task].agent == index) {
      me->tasks[task].id[0] = 0;
    }
  }
}

/* Invokes the agent that others delete; its end at any moment is no failure. */
static void trouble(bool deletes) {
  char id[64];
  pthread_mutex_lock(&victim_lock);
  if (victim[0] == 0) {
    json_t *answer = call("agents.create", json_pack("{s:{s:s}}", "body", "name", "victim"), 0);
    snprintf(victim, sizeof victim, "%s", text_at(answer, "id"));
    json_decref(answer);
  }
  memcpy(id, victim, sizeof id);
  if (deletes) {
    victim[0] = 0;
  }
  pthread_mutex_unlock(&victim_lock);
  if (deletes) {
    json_decref(call("agents.delete", json_pack("{s:s}", "agent_id", id), 404));
  } else {
    json_decref(
        call("agents.invoke", json_pack("{s:s, s:{s:{s:s}}}", "agent_id", id, "body", "input", "text", "x"), 404));
  }
}

static void *work(void *argument) {
  struct thread *me = argument;
  for (;;) {
    unsigned int chance = (unsigned int)rand_r(&me->seed) % 100;
    int index = rand_r(&me->seed) % AGENTS;
    struct agent *agent = &me->agents[index];
    if (agent->id[0] == 0) {
      create(me, agent);
    } else if (chance < 15) {
      update(agent, false);
    } else if (chance < 25) {
      update(agent, true);
    } else if (chance < 35) {
      deploy(agent);
    } else if (chance < 45) {
      change_shared(me);
    } else if (chance < 75) {
      invoke(me, &me->tasks[rand_r(&me->seed) % TASKS], index);
    } else if (chance < 82) {
      delete(me, index);
    } else if (chance < 94) {
      trouble(chance < 86);
    } else {
      json_decref(call("tasks.list", json_pack("{s:i}", "per_page", 5), 0));
      json_decref(call("agents.list", json_pack("{s:i}", "page", 1 + (int)(chance % 3)), 0));
    }
  }
  return NULL;
}

/* ---- the race ---- */

static long long race_start, race_end;
static long race_count;

static void *run_race(void *argument) {
  (void)argument;
  for (;;) {
    long long now = now_ms();
    if (now >= race_end) {
      return NULL;
    }
    json_decref(call("agents.create", json_pack("{s:{s:s}}", "body", "name", "racer"), 0));
    if (now >= race_start) {
      __atomic_fetch_add(&race_count, 1, __ATOMIC_RELAXED);
    }
  }
}

int main(int count, char **values) {
  muster_error *error = NULL;
  bool races = count == 6 && strcmp(values[1], "race") == 0;
  int threads, index;
  struct thread *all;
  json_t *answer;
  if (!races && (count != 7 || strcmp(values[1], "work") != 0)) {
    fprintf(stderr, "worker work STORE ACKS THREADS NAME MODEL | worker race STORE SECONDS START THREADS\n");
    return 2;
  }
  threads = atoi(values[races ? 5 : 4]);
  all = calloc((size_t)threads, sizeof *all);
  if (!races && (acks = open(values[3], O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600)) < 0) {
    return 2;
  }
  name = races ? "racer" : values[5];
  if (all == NULL || open_plane(values[2], races ? "echo" : values[6], &plane, &error) != MUSTER_OK) {
    note("fail\topen\t%s\t%s", muster_status_name(muster_error_status(error)), muster_error_message(error));
    fprintf(stderr, "worker: %s\n", muster_error_message(error));
    return 1;
  }
  if (races) {
    race_start = atoll(values[4]);
    race_end = race_start + atoll(values[3]) * 1000;
  } else {
    answer = call("agents.create", json_pack("{s:{s:s}}", "body", "name", "shared"), 0);
    shared = strdup(text_at(answer, "id"));
    json_decref(answer);
  }
  for (index = 0; index < threads; index++) {
    all[index].number = index;
    all[index].seed = (unsigned int)(getpid() * 64 + index);
    pthread_create(&all[index].thread, NULL, races ? run_race : work, &all[index]);
  }
  for (index = 0; index < threads; index++) {
    pthread_join(all[index].thread, NULL);
  }
  muster_close(plane);
  printf("%ld\n", race_count);
  free(all);
  return 0;
}
