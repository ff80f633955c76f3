import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'

/** What Zeek's JSON says of itself: without it a record's log type is a guess. */
const OWN_WORDS = ['_path', '_write_ts', '_system_name', '_node_name']

/** Folders of the sample data in which nothing is a Zeek log. */
export const FOREIGN = [
  'cloudtrail',
  'crowdsec',
  'fail2ban',
  'k8s-audit',
  'linux',
  'netstat',
  'osquery',
  'saas',
  'suricata',
  'vpcflow',
  'web',
  'windows',
]

function textOf(path) {
  const bytes = readFileSync(path)
  return (path.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8')
}

/** Objects of a file: of lines, of one array, or of `Records`. Nothing of a file that is no JSON. */
export function objectsOf(path) {
  const text = textOf(path)
  if (!/^\s*[[{]/.test(text)) return []
  const parse = (json) => {
    try {
      return [JSON.parse(json)]
    } catch {
      return []
    }
  }
  const [whole] = parse(text)
  if (whole === undefined) return text.split('\n').flatMap(parse)
  return Array.isArray(whole) ? whole : (whole.Records ?? [whole])
}

/** The objects as lines of JSON without what they say of themselves. */
export function withoutOwnWords(objects) {
  const lines = objects.map((object) => JSON.stringify(object, (key, value) => (OWN_WORDS.includes(key) ? undefined : value)))
  return Buffer.from(`${lines.join('\n')}\n`)
}
