/* A real ClickHouse server on the loopback interface, out of the npm package chdb: its library can open the HTTP interface. It ends
 * with the process that started it. */
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>

typedef struct chdb_result chdb_result;
chdb_result *chdb_query_cmdline(int argc, char **argv);
const char *chdb_result_error(chdb_result *result);

int main(int argc, char **argv) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  /* The library chooses its program by this name. */
  argv[0] = "clickhouse-local";
  chdb_result *result = chdb_query_cmdline(argc, argv);
  const char *error = chdb_result_error(result);
  if (error) fprintf(stderr, "%s\n", error);
  return error != NULL;
}
