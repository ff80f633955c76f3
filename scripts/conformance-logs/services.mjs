/** Each file lists cases, whose `data` is the record. */
const records = (text) =>
  JSON.parse(text)
    .flatMap(({ data }) => (data === undefined ? [] : (data.Records ?? [data])))
    .map((record) => `${JSON.stringify(record)}\n`)
    .join('')

const set = (name, files, rows, more) => ({
  name,
  files: files.map((one) => `saas/streamalert/${one}`),
  input: records,
  rows,
  ...more,
})

/** Records of services, written by hand in the real formats. Where a value is a placeholder, the record is refused. */
export const services = {
  name: 'services',
  sets: [
    set('Okta System Log', ['community/okta/*.json'], 1),
    set('osquery', ['community/osquery/*.json', 'classifier/osquery/*.json'], 4),
    set('Duo, administrators', ['community/duo_administrator/*.json'], 6, { logType: 'Duo.Administrator' }),
    set('Duo, authentication', ['community/duo_authentication/*.json'], 4, { logType: 'Duo.Authentication' }),
    set('OneLogin', ['community/onelogin/*.json'], 3, { logType: 'OneLogin.Events' }),
    set('Google Workspace, whole activities', ['classifier/gsuite/*.json'], 1, { logType: 'GSuite.ActivityEvent' }),
    set('CloudTrail', ['classifier/cloudtrail/*.json'], 2, { deadLettered: { invalid_time: 1 } }),
  ],
}
