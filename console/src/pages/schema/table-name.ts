/** The table of a log type: `Zeek.Conn` → `logs.zeek_conn`. */
export function tableOf(logType: string): string {
  return `logs.${logType.toLowerCase().replace(/[^a-z0-9_]/g, '_')}`
}
