/* Preloaded into the server of tests, so that it can be a replica. Its program, clickhouse-local, lacks what clickhouse-server has, although
 * most of it is in the library: the address and scheme at which other replicas reach it, without which replicated tables stay read-only;
 * the listener from which they fetch parts; and the credentials for that, which may be empty but have to exist. So the functions that return
 * these are replaced, and the second HTTP listener, which is on 127.0.0.2, gets the handler for parts. Functions are found by
 * texts that they use. All else is the server's own: keeping tables in Keeper, sending parts and fetching them. */
#define _GNU_SOURCE
#include <link.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

static const char NO_ADDRESS[] = "Parameter 'interserver_http(s)_port' required for replication";
static const char HANDLER[] = "InterserverIOHTTPHandler-factory";
static const char UNWANTED[] = "Client requires HTTP Basic authentication, but server doesn't provide it";
enum { TEXTS = 3 };
static const char *const TEXT[TEXTS] = {NO_ADDRESS, HANDLER, UNWANTED};


static uint16_t http_port;

/* std::string, with a short string. */
struct string {
  char text[23];
  char length;
};

/* std::pair<std::string, uint16_t> */
struct address {
  struct string host;
  uint16_t port;
};

static struct address *address_of_replica(struct address *result) {
  *result = (struct address){.host = {.text = "127.0.0.2", .length = 9}, .port = http_port};
  return result;
}

static struct string *scheme_of_replica(struct string *result) {
  *result = (struct string){.text = "http", .length = 4};
  return result;
}

/* std::shared_ptr, without a count. */
struct pointer {
  const void *object, *count;
};

static unsigned char *checks_credentials;

/* Two empty strings for a replica that fetches; nothing for the handler, which then asks for none. */
static struct pointer credentials(void) {
  static const char empty[256];
  unsigned char *caller = __builtin_return_address(0);
  if (caller > checks_credentials && caller < checks_credentials + 4096) return (struct pointer){NULL, NULL};
  return (struct pointer){empty, NULL};
}

/* std::string, with a long string. */
static const struct {
  const char *text;
  uint64_t length, capacity;
} handler = {HANDLER, sizeof HANDLER - 1, 48 | 1ul << 63};

typedef void *handler_factory(void *a, void *b, void *c, const void *name, void *d);
static handler_factory *original;

static void *factory(void *a, void *b, void *c, const void *name, void *d) {
  static int listeners;
  return original(a, b, c, ++listeners == 2 ? &handler : name, d);
}

/* mov rax, …; jmp rax */
enum { JUMP = 12 };
static void jump(unsigned char *from, const void *to) {
  memcpy(from, (unsigned char[]){0x48, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xe0}, JUMP);
  memcpy(from + 2, &to, sizeof to);
}

static void fail(const char *why) {
  fprintf(stderr, "the server of tests cannot be a replica: %s\n", why);
  _Exit(1);
}

static void replace(unsigned char *function, const void *by) {
  uintptr_t page = (uintptr_t)function & ~4095ul;
  if (mprotect((void *)page, 8192, PROT_READ | PROT_WRITE | PROT_EXEC)) fail("its code cannot be changed");
  jump(function, by);
}

/* Functions are padded with int3. */
static unsigned char *start_of(unsigned char *at) {
  while (!(at[-1] == 0xcc && at[-2] == 0xcc)) at--;
  return at;
}

/* The functions before and after one in the source. */
static unsigned char *before(unsigned char *function) {
  while (function[-1] == 0xcc) function--;
  return start_of(function);
}

static unsigned char *after(unsigned char *function) {
  while (!(function[0] == 0xcc && function[1] == 0xcc)) function++;
  while (*function == 0xcc) function++;
  return function;
}

struct code {
  unsigned char *begin, *end;
  /* The start of the function with an instruction that names the text by its distance. */
  unsigned char *with[TEXTS];
};

static int visit(struct dl_phdr_info *object, size_t size, void *result) {
  (void)size;
  struct code *code = result;
  const char *text[TEXTS] = {NULL};
  if (!strstr(object->dlpi_name, "/libchdb.so")) return 0;
  for (int i = 0; i < object->dlpi_phnum; i++) {
    const ElfW(Phdr) *part = &object->dlpi_phdr[i];
    unsigned char *at = (unsigned char *)object->dlpi_addr + part->p_vaddr;
    if (part->p_type != PT_LOAD) continue;
    if (part->p_flags & PF_X) code->begin = at, code->end = at + part->p_memsz;
    else
      for (int t = 0; t < TEXTS; t++)
        if (!text[t]) text[t] = memmem(at, part->p_filesz, TEXT[t], strlen(TEXT[t]));
  }
  for (unsigned char *at = code->begin; at + 4 <= code->end; at++) {
    int32_t distance;
    memcpy(&distance, at, sizeof distance);
    for (int t = 0; t < TEXTS; t++)
      if ((char *)at + 4 + distance == text[t] && !code->with[t]) code->with[t] = start_of(at);
  }
  return 1;
}

/* How functions begin. */
static const unsigned char MAKES_HANDLERS[] = {0x55, 0x41, 0x57, 0x41, 0x56, 0x41, 0x55, 0x41, 0x54, 0x53, 0x48, 0x81, 0xec};
static const unsigned char HAS_SCHEME[] = {0x48, 0x8b, 0x06, 0x80, 0xb8};
static const unsigned char HAS_CREDENTIALS[] = {0x41, 0x57, 0x41, 0x56, 0x53, 0x4c, 0x8b, 0x3f};
enum { MOVED = sizeof MAKES_HANDLERS + 4 };

__attribute__((constructor)) static void prepare(void) {
  struct code code = {0};
  dl_iterate_phdr(visit, &code);
  if (!code.begin) return;
  for (int t = 0; t < TEXTS; t++)
    if (!code.with[t]) fail("the library is another one");
  unsigned char *address = code.with[0], *makes_handlers = code.with[1], *has_credentials = before(address), *has_scheme = after(address);
  if (memcmp(makes_handlers, MAKES_HANDLERS, sizeof MAKES_HANDLERS) || memcmp(has_credentials, HAS_CREDENTIALS, sizeof HAS_CREDENTIALS) ||
      memcmp(has_scheme, HAS_SCHEME, sizeof HAS_SCHEME))
    fail("the library is another one");
  checks_credentials = code.with[2];

  char line[4096] = "";
  FILE *file = fopen("/proc/self/cmdline", "r");
  size_t read = fread(line, 1, sizeof line - 1, file);
  fclose(file);
  char *port = memmem(line, read, "--http_port=", 12);
  if (!port) fail("it has no --http_port");
  http_port = atoi(port + 12);

  replace(address, address_of_replica);
  replace(has_scheme, scheme_of_replica);
  replace(has_credentials, credentials);
  unsigned char *moved = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  memcpy(moved, makes_handlers, MOVED);
  jump(moved + MOVED, makes_handlers + MOVED);
  original = (handler_factory *)moved;
  replace(makes_handlers, factory);
}
