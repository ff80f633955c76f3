import { execFileSync } from 'node:child_process'
import { accessSync, constants, existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'

/** Where packages for these tests are installed, once for all files and runs. */
const CACHE = process.env['PEERS_CACHE'] ?? join(tmpdir(), 'caracal-peers')
const INSTALL_MS = 15 * 60_000

/** A folder or program of a real peer, or the reason why it cannot be had here. */
export type Peer = { readonly path: string; readonly why?: undefined } | { readonly path?: undefined; readonly why: string }

/** A program on the PATH or in the system's folders. */
export function program(name: string): Peer {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/sbin', '/usr/lib/systemd', '/lib/systemd']
  const path = folders.map((folder) => join(folder, name)).find(isExecutable)
  return path === undefined ? { why: `${name} is not installed` } : { path }
}

/** The first peer that is there, or all reasons. */
export function either(...choices: readonly (() => Peer)[]): Peer {
  const reasons: string[] = []
  for (const choice of choices) {
    const peer = choice()
    if (peer.path !== undefined) return peer
    reasons.push(peer.why)
  }
  return { why: reasons.join('; ') }
}

/** npm packages, as `['fluent-logger@3.4.1']`; `path` is the folder that holds their `node_modules`. Without install scripts. */
export function npmPackages(specs: readonly string[]): Peer {
  return cached('npm', specs, (folder) => {
    run('npm', ['install', '--no-save', '--no-audit', '--no-fund', '--ignore-scripts', '--prefix', folder, ...specs])
  })
}

/** Python packages in an environment of their own; `path` is its `bin` folder. */
export function pythonPackages(specs: readonly string[]): Peer {
  const made = cached('python', specs, (folder) => {
    run('python3', ['-m', 'venv', folder])
    run(join(folder, 'bin/pip'), ['install', '-q', '--disable-pip-version-check', ...specs])
  })
  return made.path === undefined ? made : { path: join(made.path, 'bin') }
}

/** Debian packages, unpacked without being installed; `path` is the root folder that holds their `usr`. */
export function debianPackages(names: readonly string[]): Peer {
  return cached('debian', names, (folder) => {
    const downloads = join(folder, 'downloads')
    mkdirSync(downloads)
    run('apt-get', ['download', ...names], downloads)
    for (const file of readdirSync(downloads)) run('dpkg-deb', ['-x', join(downloads, file), folder])
  })
}

/** Java packages with what they need, as `['org.slf4j:slf4j-nop:1.7.36']`; `path` is the folder with the jars. */
export function mavenPackages(specs: readonly string[]): Peer {
  return cached('maven', specs, (folder) => {
    const dependencies = specs.map((spec) => {
      const [group, artifact, version] = spec.split(':')
      return `<dependency><groupId>${group}</groupId><artifactId>${artifact}</artifactId><version>${version}</version></dependency>`
    })
    const own = '<modelVersion>4.0.0</modelVersion><groupId>peers</groupId><artifactId>peers</artifactId><version>1</version>'
    const project = `${own}<packaging>pom</packaging><dependencies>${dependencies.join('')}</dependencies>`
    writeFileSync(join(folder, 'pom.xml'), `<project xmlns="http://maven.apache.org/POM/4.0.0">${project}</project>`)
    run('mvn', ['-q', '-B', 'dependency:copy-dependencies', `-DoutputDirectory=${folder}`, '-DincludeScope=runtime'], folder)
  })
}

/**
 * An OpenTelemetry Collector with the named components, as `['receiver/otlpreceiver']` of the core or
 * `['contrib/receiver/filelogreceiver']`, built with its own builder from Go modules; `path` is the program. Takes minutes
 * the first time.
 */
export function collector(version: string, components: readonly string[]): Peer {
  const go = program('go')
  if (go.path === undefined) return go
  const made = cached('collector', [version, ...components.map((name) => name.split('/').at(-1)!)], (folder) => {
    const modules = (kind: string) =>
      components
        .filter((name) => name.includes(`${kind}/`))
        .map((name) =>
          name.startsWith('contrib/')
            ? `github.com/open-telemetry/opentelemetry-collector-contrib/${name.slice('contrib/'.length)}`
            : `go.opentelemetry.io/collector/${name}`,
        )
        .map((module) => ({ gomod: `${module} ${version}` }))
    const manifest = {
      dist: { name: 'collector', output_path: join(folder, 'out'), module: 'collector.peer' },
      receivers: modules('receiver'),
      exporters: modules('exporter'),
    }
    const own = { GOBIN: folder, GOFLAGS: '-buildvcs=false' }
    run(go.path, ['install', `go.opentelemetry.io/collector/cmd/builder@${version}`], folder, own)
    // JSON is YAML.
    writeFileSync(join(folder, 'builder.yaml'), JSON.stringify(manifest))
    run(join(folder, 'builder'), ['--config', join(folder, 'builder.yaml')], folder, own)
  })
  return made.path === undefined ? made : { path: join(made.path, 'out/collector') }
}

/** `install` fills a new folder, which is kept only if it succeeds. A virtual environment cannot be moved, so it is made in place. */
function cached(kind: string, specs: readonly string[], install: (folder: string) => void): Peer {
  const folder = join(CACHE, kind, specs.join('+').replace(/[^\w.@+=-]/g, '_'))
  if (existsSync(join(folder, '.complete'))) return { path: folder }
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  try {
    install(folder)
    mkdirSync(join(folder, '.installing'))
    renameSync(join(folder, '.installing'), join(folder, '.complete'))
    return { path: folder }
  } catch (error) {
    rmSync(folder, { recursive: true, force: true })
    const text = error instanceof Error ? error.message.trim().split('\n').slice(0, 3).join(' ') : String(error)
    return { why: `${specs.join(' ')} cannot be installed: ${text}` }
  }
}

function run(command: string, args: readonly string[], cwd?: string, variables: NodeJS.ProcessEnv = {}): void {
  const env = { ...process.env, ...variables }
  execFileSync(command, args, {
    stdio: ['ignore', 'ignore', 'pipe'],
    timeout: INSTALL_MS,
    env,
    ...(cwd !== undefined && { cwd }),
  })
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
