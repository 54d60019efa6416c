#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "CMicrohttpd.h"

// As many as the kernel allows: it takes the smaller of this and its own limit.
static const int backlog = 4096;

static int failed(int descriptor) {
  int number = errno;
  if (descriptor >= 0) close(descriptor);
  return -number;
}

int cmicrohttpd_listen(const char *host, uint16_t port, bool is_ipv6) {
  struct sockaddr_storage storage = {0};
  socklen_t size;
  if (is_ipv6) {
    struct sockaddr_in6 *address = (struct sockaddr_in6 *)&storage;
    address->sin6_family = AF_INET6;
    address->sin6_port = htons(port);
    if (inet_pton(AF_INET6, host, &address->sin6_addr) != 1) return -EINVAL;
    size = sizeof *address;
  } else {
    struct sockaddr_in *address = (struct sockaddr_in *)&storage;
    address->sin_family = AF_INET;
    address->sin_port = htons(port);
    if (inet_pton(AF_INET, host, &address->sin_addr) != 1) return -EINVAL;
    size = sizeof *address;
  }
  int descriptor = socket(storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (descriptor < 0) return failed(descriptor);
  int on = 1;
  // A server that was stopped can be started again at once; two that run never share an address.
  setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (is_ipv6) setsockopt(descriptor, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
  if (bind(descriptor, (struct sockaddr *)&storage, size) != 0 || listen(descriptor, backlog) != 0) return failed(descriptor);
  return descriptor;
}

static bool is_answering(const struct sockaddr_un *address) {
  int probe = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (probe < 0) return true;
  // A full backlog says EAGAIN: somebody is there. Only a refusal means that nobody listens.
  bool is_dead = connect(probe, (const struct sockaddr *)address, sizeof *address) != 0 && errno == ECONNREFUSED;
  close(probe);
  return !is_dead;
}

int cmicrohttpd_listen_unix(const char *path) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  if (strlen(path) >= sizeof address.sun_path) return -ENAMETOOLONG;
  strcpy(address.sun_path, path);
  struct stat found;
  if (lstat(path, &found) == 0) {
    if (!S_ISSOCK(found.st_mode)) return -EEXIST;
    if (is_answering(&address)) return -EADDRINUSE;
    if (unlink(path) != 0 && errno != ENOENT) return -errno;
  }
  int descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (descriptor < 0) return failed(descriptor);
  // The mode of a socket's file is that of its descriptor less the umask, which is the host's and stays as it is: nobody
  // can connect before listen, and by then the mode is right.
  fchmod(descriptor, 0600);
  if (bind(descriptor, (struct sockaddr *)&address, sizeof address) != 0) return failed(descriptor);
  if (chmod(path, 0600) != 0 || listen(descriptor, backlog) != 0) {
    int number = errno;
    unlink(path);
    errno = number;
    return failed(descriptor);
  }
  return descriptor;
}

uint16_t cmicrohttpd_port(int listener) {
  struct sockaddr_storage storage = {0};
  socklen_t size = sizeof storage;
  if (getsockname(listener, (struct sockaddr *)&storage, &size) != 0) return 0;
  if (storage.ss_family == AF_INET6) return ntohs(((struct sockaddr_in6 *)&storage)->sin6_port);
  return storage.ss_family == AF_INET ? ntohs(((struct sockaddr_in *)&storage)->sin_port) : 0;
}

void cmicrohttpd_identity(const char *path, uint64_t *device, uint64_t *inode) {
  struct stat found;
  bool is_there = lstat(path, &found) == 0;
  *device = is_there ? found.st_dev : 0;
  *inode = is_there ? found.st_ino : 0;
}

void cmicrohttpd_unlink(const char *path, uint64_t device, uint64_t inode) {
  uint64_t device_now, inode_now;
  cmicrohttpd_identity(path, &device_now, &inode_now);
  if (inode_now != 0 && device_now == device && inode_now == inode) unlink(path);
}

uint32_t cmicrohttpd_descriptors_left(void) {
  struct rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return 0;
  uint32_t most = limit.rlim_cur > (1u << 20) ? 1u << 20 : (uint32_t)limit.rlim_cur;
  uint32_t used = 0;
  DIR *folder = opendir("/proc/self/fd");
  if (folder) {
    while (readdir(folder)) used++;
    closedir(folder);
  }
  return used < most ? most - used : 0;
}
