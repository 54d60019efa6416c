/* A C++17 host: handles, texts and errors in classes of its own, doing the main job. argv[1]: an empty folder. Needs
 * the mock. */
#include <jansson.h>
#include <muster.h>

#include <cstdlib>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "check.h"

namespace {

class Error : public std::runtime_error {
 public:
  /* Takes over `error`. */
  Error(muster_status status, muster_error *error)
      : std::runtime_error(muster_error_message(error)), status(status), httpStatus(muster_error_http_status(error)) {
    muster_error_free(error);
  }
  const muster_status status;
  const int32_t httpStatus;
};

class Value {
 public:
  explicit Value(json_t *value = nullptr) : value(value) {}
  const char *text(const char *key) const {
    const char *found = json_string_value(json_object_get(value.get(), key));
    return found != nullptr ? found : "";
  }
  Value at(const char *key) const { return Value(json_incref(json_object_get(value.get(), key))); }
  Value at(std::size_t index) const { return Value(json_incref(json_array_get(value.get(), index))); }
  std::size_t size() const { return json_array_size(value.get()); }
  json_int_t integer(const char *key) const { return json_integer_value(json_object_get(value.get(), key)); }

 private:
  struct Release {
    void operator()(json_t *value) const { json_decref(value); }
  };
  std::unique_ptr<json_t, Release> value;
};

class Plane {
 public:
  using Log = std::function<void(int32_t, const std::string &, const std::string &)>;

  explicit Plane(const std::string &config, Log log = nullptr) {
    muster_host host = MUSTER_HOST_INIT;
    muster_error *error = nullptr;
    if (log != nullptr) {
      host.user_data = new Log(std::move(log));
      host.log = [](void *data, int32_t level, const char *component, const char *message, size_t length) {
        (*static_cast<Log *>(data))(level, component, std::string(message, length));
      };
      /* Called exactly once, also when the open fails: so nothing leaks and nothing is deleted twice. */
      host.release = [](void *data) { delete static_cast<Log *>(data); };
    }
    muster_status status = muster_open(config.c_str(), &host, &handle, &error);
    if (status != MUSTER_OK) {
      throw Error(status, error);
    }
  }
  ~Plane() { muster_close(handle); }
  Plane(const Plane &) = delete;
  Plane &operator=(const Plane &) = delete;

  Value create(const std::string &body) {
    return answer([&](char **json, size_t *length, muster_error **error) {
      return muster_agent_create(handle, body.c_str(), json, length, error);
    });
  }
  Value agents() {
    return answer([&](char **json, size_t *length, muster_error **error) {
      return muster_agents_list(handle, 0, 0, json, length, error);
    });
  }
  Value invoke(const std::string &agent, const std::string &body) {
    return answer([&](char **json, size_t *length, muster_error **error) {
      return muster_agent_invoke(handle, agent.c_str(), nullptr, body.c_str(), 60000, json, length, error);
    });
  }
  Value thread(const std::string &task) {
    return answer([&](char **json, size_t *length, muster_error **error) {
      return muster_task_thread(handle, task.c_str(), json, length, error);
    });
  }

 private:
  template <typename Call>
  Value answer(Call call) {
    char *json = nullptr;
    size_t length = 0;
    muster_error *error = nullptr;
    muster_status status = call(&json, &length, &error);
    if (status != MUSTER_OK) {
      throw Error(status, error);
    }
    std::unique_ptr<char, decltype(&muster_free)> owner(json, muster_free);
    return Value(json_loadb(json, length, JSON_DECODE_ANY, nullptr));
  }
  muster *handle = nullptr;
};

void mainJob(const std::string &config) {
  Plane plane(config);
  Value agent = plane.create(R"({"name":"C++"})");
  CHECK_INTEGER(1, plane.agents().integer("total"));
  Value first = plane.invoke(agent.text("id"), R"({"input":{"text":"one"}})");
  CHECK_TEXT("echo: one", first.text("result"));
  CHECK(first.at("tokens").integer("total_tokens") > 0);
  Value second =
      plane.invoke(agent.text("id"), R"({"input":{"text":"two"},"id":")" + std::string(first.text("id")) + "\"}");
  CHECK_TEXT(first.text("id"), second.text("id"));
  Value thread = plane.thread(first.text("id"));
  CHECK_INTEGER(4, thread.size());
  CHECK_TEXT("echo: two", thread.at(3).text("content"));

  std::vector<std::thread> threads;
  for (int number = 0; number < 8; number++) {
    threads.emplace_back([&] {
      Value task = plane.invoke(agent.text("id"), R"({"input":{"text":"threads"}})");
      CHECK_TEXT("completed", task.text("status"));
    });
  }
  for (std::thread &thread : threads) {
    thread.join();
  }
}

void errorsBecomeExceptions(const std::string &config) {
  Plane plane(config);
  try {
    plane.create("{}");
    CHECK(!"an agent without a name was created");
  } catch (const Error &error) {
    CHECK_INTEGER(MUSTER_E_API, error.status);
    CHECK_INTEGER(422, error.httpStatus);
  }
  try {
    Plane broken(R"({"store":":memory:","colour":1})", [](int32_t, const std::string &, const std::string &) {});
    CHECK(!"an unknown key was accepted");
  } catch (const Error &error) {
    CHECK_INTEGER(MUSTER_E_MISUSE, error.status);
    CHECK(std::string(error.what()).find("colour") != std::string::npos);
  }
}

}  // namespace

int main(int argc, char **argv) {
  const char *base = std::getenv("MODEL_BASE");
  const std::string store = std::string(argc > 1 ? argv[1] : ".") + "/host.db";
  const std::string config = R"({"store":")" + store +
                             R"(","default_model":{"provider":"openai_compatible","name":"echo",)" + R"("api_base":")" +
                             (base != nullptr ? base : "") + "\"}}";
  try {
    mainJob(config);
    errorsBecomeExceptions(config);
  } catch (const std::exception &error) {
    std::fprintf(stderr, "%s\n", error.what());
    CHECK(!"an exception was not expected");
  }
  return check_finish("host");
}
