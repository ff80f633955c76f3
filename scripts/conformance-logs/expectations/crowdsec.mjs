/** CrowdSec's name of a value, and the event's field. */
const FIELDS = {
  message: 'message',
  pid: 'procid',
  program: 'appname',
  sshd_client_ip: 'source_ip',
  sshd_invalid_user: 'user',
  username: 'user',
  machine: 'hostname',
}

/** Compares events with `parser.assert` beside their file: `results["s01-parse"]["…"][3].Evt.Parsed["pid"] == "16378"`. */
export function crowdsecFacts(events, { readText, files }) {
  const folder = files[0].slice(0, files[0].lastIndexOf('/'))
  const pattern = /^results\["s0[01][^"]*"\]\["[^"]*"\]\[(\d+)\]\.Evt\.(?:Parsed|Meta)\["(\w+)"\] == "(.*)"$/
  const differences = []
  let compared = 0
  for (const text of readText(`${folder}/parser.assert`).split('\n')) {
    const [, index, name, value] = pattern.exec(text) ?? []
    if (name === undefined || !Object.hasOwn(FIELDS, name) || value === '') continue
    compared++
    const known = value.replaceAll('\\"', '"').replaceAll('\\\\', '\\')
    const found = events[Number(index)]?.[FIELDS[name]]
    if (String(found).trim() !== known.trim()) differences.push([Number(index), name, found, known])
  }
  return [[`values that differ, of ${compared}`, differences, []]]
}
