/** The lines of one of fail2ban's test files, each with what is expected of it (`# failJSON: {…}` before it). */
export function fail2banLines(text) {
  const lines = []
  let expected
  for (const line of text.split('\n')) {
    const json = /^# failJSON: (\{.*\})/.exec(line)?.[1]
    if (json) expected = JSON.parse(json)
    else if (line.trim() !== '' && !line.startsWith('#')) {
      lines.push({ line, expected })
      expected = undefined
    }
  }
  return lines
}

/** The lines as they are given to the parser. */
export const fail2banInput = (text) =>
  `${fail2banLines(text)
    .map(({ line }) => line)
    .join('\n')}\n`

/** Where sshd's message has two addresses, or a tag has no colon, no address is taken. */
const EXPLAINED = ['ssh2: from 10.10.1.2 port', '[sshd] User root from']

/** Of the lines that must match: their hosts and times, compared with the events'. */
export function fail2banFacts(events, { readText, files }) {
  // A row id ends with the offset of the record.
  const byOffset = new Map(events.map((event) => [Number.parseInt(event.p_row_id.slice(16), 16), event]))
  const differences = { host: [], time: [], explained: 0 }
  const ambiguous = EXPLAINED.filter((text) => readText(files[0]).includes(text)).length
  let [compared, elsewhere, offset] = [0, 0, 0]
  for (const { line, expected } of fail2banLines(readText(files[0]))) {
    const event = byOffset.get(offset)
    offset += Buffer.byteLength(line) + 1
    if (!expected?.match) continue
    // The host of a session may be in an earlier line of it.
    if (!line.includes(expected.host)) {
      elsewhere++
      continue
    }
    compared++
    const host = event?.source_ip ?? event?.source_host
    if (host === undefined && EXPLAINED.some((text) => line.includes(text))) differences.explained++
    else if (host !== expected.host) differences.host.push([line.slice(0, 160), host, expected.host])
    // Where a line has an offset, the expected time is in a time zone of the tests.
    const isLocal = /^\w{3} /.test(line)
    if (expected.time && isLocal && !event?.timestamp.startsWith(expected.time))
      differences.time.push([line.slice(0, 60), event?.timestamp, expected.time])
  }
  return [
    [`hosts that differ, of ${compared} lines (${elsewhere} more are about a host in another line)`, differences.host, []],
    ['lines without a host where it is ambiguous', differences.explained, ambiguous],
    ['times that differ', differences.time, []],
  ]
}
