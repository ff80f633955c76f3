/** What commands print, beside the parsed twins of jc: netstat, ss, last, lastb, who. */

const twin = (file) => file.replace(/\.out$/, '.json')
const given = (object) => Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined && value !== null))
const address = (host, port) => (host === undefined || port === undefined ? undefined : `${host}:${port}`)

/** Which rows differ from those of the twins; `known` and `found` make comparable values of both. */
function differences(events, { readText, files }, known, found) {
  const rows = files.flatMap((file) => JSON.parse(readText(twin(file)))).map((row) => JSON.stringify(given(known(row))))
  const ours = events.map((event) => JSON.stringify(given(found(event))))
  const different = rows.flatMap((row, i) => (row === ours[i] ? [] : [`${ours[i]} is ${row}`]))
  return [
    ['rows', ours.length, rows.length],
    ['rows that differ from their twins', different.slice(0, 3), []],
  ]
}

const process = ({ process }) => process?.match(/^(\d+)\/(.*)$/)

const sockets = {
  known: (row) => ({
    protocol: row.proto,
    recv: row.recv_q,
    send: row.send_q,
    local: row.kind === 'network' ? address(row.local_address, row.local_port) : undefined,
    foreign: row.kind === 'network' ? address(row.foreign_address, row.foreign_port) : undefined,
    state: row.state,
    pid: row.pid,
    program: row.program_name,
    user: row.user,
    inode: row.inode,
    references: row.refcnt,
    flags: row.flags,
    type: row.type,
    path: row.path,
  }),
  found: (event) => ({
    protocol: event.protocol,
    recv: event.recv,
    send: event.send,
    local: event.local_address,
    foreign: event.foreign_address,
    state: event.state,
    pid: process(event) && Number(process(event)[1]),
    program: process(event)?.[2],
    user: event.user,
    inode: event.inode,
    references: event.references,
    flags: event.flags,
    type: event.type,
    path: event.path,
  }),
}

/** jc splits what is not of the internet protocols by the kind of socket; the start of the row is the same for all. */
const ss = {
  known: (row) => ({
    protocol: row.netid,
    state: row.state,
    recv: row.recv_q,
    send: row.send_q,
    local: local(row),
    inode: Number(inode(row)) || undefined,
  }),
  found: (event) => ({
    protocol: event.protocol,
    state: event.state,
    recv: event.recv,
    send: event.send,
    local: event.local_address,
    inode: event.inode,
  }),
}
function isInternet({ netid }) {
  return /^(?:tcp|udp|raw|icmp6)$/.test(netid)
}
function local(row) {
  return isInternet(row)
    ? address(row.interface ? `${row.local_address}%${row.interface}` : row.local_address, row.local_port)
    : undefined
}
function inode(row) {
  return row.opts?.inode_number ?? (row.netid.startsWith('u_') ? row.local_port : undefined)
}

/** jc writes CONSOLE before the display of a local session, and takes the `still` off a running system. */
const last = {
  known: ({ user, tty, hostname, logout }) => ({
    user,
    terminal: tty,
    host: hostname?.replace(/^CONSOLE/, ''),
    logout: logout?.replace(/^- /, '').replace(/^running$/, 'still running'),
  }),
  found: ({ user, terminal, host, kernel, logout }) => ({
    user,
    terminal,
    host: host ?? kernel,
    logout: logout?.replaceAll('  ', ' '),
  }),
}

const who = {
  known: ({ user, tty, event, pid, idle, from, comment, time }) => ({
    user: event === 'login' ? 'LOGIN' : user,
    terminal: event === 'reboot' ? 'system boot' : event?.startsWith('run-level') ? event : tty,
    pid,
    idle,
    host: from,
    comment,
    time,
  }),
  found: ({ user, terminal, pid, idle, host, comment, login_time: time }) => ({
    user,
    terminal,
    pid,
    idle,
    host,
    comment: comment?.replace(/ +/g, ' '),
    time: time.slice(0, 16).replace('T', ' '),
  }),
}

const set = (name, files, logType, { known, found }) => ({
  name,
  files,
  logType,
  asOf: '2020-03-05T00:00:00Z',
  facts: (events, context) => differences(events, context, known, found),
})

export const linux = {
  name: 'linux',
  sets: [
    set(
      'netstat',
      [
        'netstat/{centos-7.7,ubuntu-18.04}/netstat{,-l,-p,-sudo-aeep,-sudo-lnp,-sudo-lnp-space}.out',
        'netstat/generic/netstat-{old,no-state}.out',
      ],
      'Custom.Netstat',
      sockets,
    ),
    set('ss', ['netstat/*/ss-*.out'], 'Custom.Netstat', ss),
    set('last', ['netstat/{centos-7.7,ubuntu-18.04}/last{,-w,-crash,-wF,-wixF}.out'], 'Linux.Logins', last),
    set('lastb', ['netstat/*/lastb.out'], 'Linux.FailedLogins', last),
    set('who', ['netstat/*/who{,-a,-login-screen}.out'], 'Linux.Sessions', who),
  ],
}
