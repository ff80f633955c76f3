import { MAX_FILES, type Service, STOP_SECONDS } from './service.ts'

/**
 * The text of a systemd unit, as closed as Caracal's work allows. Two settings that others use are missing: MemoryDenyWriteExecute,
 * because Node compiles code as it runs, and DynamicUser, because the command line and backups run as the same user.
 */
export function systemdUnit({ command, folder, dataDir, user, writes, backups, log, hasLowPort, asksMachine }: Service): string {
  const capabilities = hasLowPort ? 'CAP_NET_BIND_SERVICE' : ''
  const isBelow = (path: string, top: string) => path === top || path.startsWith(`${top}/`)
  const atHome = [folder, dataDir, ...command, ...writes, ...backups].some((path) =>
    ['/home', '/root', '/run/user'].some((top) => isBelow(path, top)),
  )
  const output = log === undefined ? 'journal' : `append:${specifiers(log)}`
  return `[Unit]
Description=Caracal security monitor
Wants=network-online.target
After=network-online.target time-sync.target

[Service]
Type=exec
User=${user}
WorkingDirectory=${specifiers(folder)}
ExecStart=${command.map(quoted).join(' ')}
ExecReload=/bin/kill -HUP $MAINPID
# Secrets as NAME=value, for {env: NAME} in caracal.yml. The file may be missing.
EnvironmentFile=-${specifiers(folder)}/.env
Environment=XDG_CACHE_HOME=/var/cache/caracal
CacheDirectory=caracal
StandardOutput=${output}
StandardError=${output}
Restart=always
RestartSec=5
# Only the main process is asked to stop: it ends the others once their work is done.
KillMode=mixed
TimeoutStopSec=${STOP_SECONDS}
LimitNOFILE=${MAX_FILES}
UMask=0077

ProtectSystem=strict
ReadWritePaths=${[dataDir, ...writes, ...backups].map(quoted).join(' ')}
ProtectHome=${atHome ? 'no' : 'yes'}
PrivateTmp=yes
PrivateDevices=yes
ProtectClock=yes
ProtectControlGroups=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
${asksMachine ? '' : 'ProtectProc=invisible\n'}NoNewPrivileges=yes
CapabilityBoundingSet=${capabilities}
AmbientCapabilities=${capabilities}
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX AF_NETLINK
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
RemoveIPC=yes
LockPersonality=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallErrorNumber=EPERM

[Install]
WantedBy=multi-user.target
`
}

/** A word of a unit's list: quoted, and without variables and specifiers. */
function quoted(text: string): string {
  const safe = specifiers(text).replaceAll('$', '$$$$')
  return /^[\w@%+=:,./$-]+$/.test(safe) ? safe : `"${safe.replace(/["\\]/g, '\\$&')}"`
}

function specifiers(text: string): string {
  return text.replaceAll('%', '%%')
}
