#ifndef CCURL_LIBRARY_H
#define CCURL_LIBRARY_H

#define CURL_DISABLE_TYPECHECK
#include "CCurl.h"

#include <signal.h>

// What is used of libcurl; filled by ccurl_load.
struct ccurl_library {
  CURLcode (*global_init)(long);
  curl_version_info_data *(*version_info)(CURLversion);
  CURL *(*easy_init)(void);
  void (*easy_cleanup)(CURL *);
  void (*easy_reset)(CURL *);
  CURLcode (*easy_setopt)(CURL *, CURLoption, ...);
  CURLcode (*easy_getinfo)(CURL *, CURLINFO, ...);
  const char *(*easy_strerror)(CURLcode);
  CURLM *(*multi_init)(void);
  CURLMcode (*multi_cleanup)(CURLM *);
  CURLMcode (*multi_setopt)(CURLM *, CURLMoption, ...);
  CURLMcode (*multi_add_handle)(CURLM *, CURL *);
  CURLMcode (*multi_remove_handle)(CURLM *, CURL *);
  CURLMcode (*multi_perform)(CURLM *, int *);
  CURLMcode (*multi_poll)(CURLM *, struct curl_waitfd *, unsigned int, int, int *);
  CURLMcode (*multi_wakeup)(CURLM *);
  CURLMsg *(*multi_info_read)(CURLM *, int *);
  CURLMcode (*multi_socket_action)(CURLM *, curl_socket_t, int, int *);
  CURLMcode (*multi_timeout)(CURLM *, long *);
  CURLMcode (*multi_assign)(CURLM *, curl_socket_t, void *);
  CURLSH *(*share_init)(void);
  CURLSHcode (*share_setopt)(CURLSH *, CURLSHoption, ...);
  CURLSHcode (*share_cleanup)(CURLSH *);
  struct curl_slist *(*slist_append)(struct curl_slist *, const char *);
  void (*slist_free_all)(struct curl_slist *);
  CURLU *(*url)(void);
  void (*url_cleanup)(CURLU *);
  CURLUcode (*url_get)(const CURLU *, CURLUPart, char **, unsigned int);
  CURLUcode (*url_set)(CURLU *, CURLUPart, const char *, unsigned int);
  void (*free)(void *);
  // Of the OpenSSL below libcurl; NULL when it uses another library.
  void (*thread_stop)(void);
};
extern struct ccurl_library curl;

// While curl works on a thread of the host, the host's signals wait: a thread that curl starts for a name look-up must
// never run a handler of the host, and a TLS library's write to a closed socket raises SIGPIPE, which CURLOPT_NOSIGNAL
// does not stop. Such a SIGPIPE is taken away again.
typedef struct {
  sigset_t before;
  bool had_pipe;
} quiet;

void quiet_begin(quiet *state);
void quiet_end(const quiet *state);

#endif
