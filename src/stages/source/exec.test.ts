import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, expect, test } from 'vitest'
import { sendNothing } from '../../util/http/send.ts'
import { decodeBody } from './decoders/decode.ts'
import { CommandIntake, exec } from './exec.ts'
import { runCommand } from './run-command.ts'
import type { IntakeDeps } from './source.ts'

const folder = mkdtempSync(join(tmpdir(), 'caracal-exec-'))
let intake: CommandIntake | undefined
afterAll(() => rmSync(folder, { recursive: true }))
afterEach(async () => {
  await intake?.close()
  intake = undefined
})

const limits = { timeoutMs: 20_000, maxOutputBytes: 10_000 }
const never = new AbortController().signal
const node = (script: string) => [process.execPath, '-e', script]

test('the output, and no problem', async () => {
  const result = await runCommand(['echo', 'a b', '$HOME; *'], limits, never)
  expect(result).toEqual({ output: Buffer.from('a b $HOME; *\n'), problem: undefined, isMissing: false })
})

test('a failure is reported with its exit code and what it wrote to stderr, and its output is kept', async () => {
  const result = await runCommand(node('console.log("one"); console.error("no such thing"); process.exitCode = 3'), limits, never)
  expect(result).toEqual({ output: Buffer.from('one\n'), problem: 'it ended with exit code 3: no such thing', isMissing: false })
})

test('a program that does not exist', async () => {
  const result = await runCommand(['caracal-no-such-program'], limits, never)
  expect(result.isMissing).toBe(true)
  expect(result.problem).toContain('caracal-no-such-program')
})

test('a program that runs too long is killed with its children, and whole lines are kept', async () => {
  const script = `require('child_process').spawn('sleep', ['1000'], { stdio: 'inherit' }); process.stdout.write('whole\\npart')`
  const result = await runCommand(node(script), { ...limits, timeoutMs: 2000 }, never)
  expect(result).toEqual({
    output: Buffer.from('whole\n'),
    problem: 'it ran longer than 2000 ms (`timeout_ms`)',
    isMissing: false,
  })
})

test('a program that prints too much is killed', async () => {
  const { output, problem } = await runCommand(['yes', 'line'], limits, never)
  expect(output.length).toBeLessThanOrEqual(10_000)
  expect(output.toString()).toMatch(/^(line\n){1,2000}$/)
  expect(problem).toBe('it printed more than 10000 bytes (`max_output_bytes`)')
})

test('its environment holds no secrets of this process', async () => {
  process.env['CARACAL_TEST_SECRET'] = 'hush'
  const { output } = await runCommand(['env'], limits, never)
  delete process.env['CARACAL_TEST_SECRET']
  expect(output.toString()).toContain('PATH=')
  expect(output.toString()).not.toContain('hush')
})

/** Runs until `count` bodies have been appended. */
async function bodies(count: number, command: string[], more: object, onBody: (texts: readonly string[]) => void = () => {}) {
  const texts: string[] = []
  await new Promise<void>((resolve) => {
    const append: IntakeDeps['append'] = async (body) => {
      texts.push(Buffer.from(body).toString())
      onBody(texts)
      if (texts.length === count) resolve()
    }
    const settings = exec.config.parse({ id: 'x', command, ...more })
    intake = new CommandIntake(
      [{ name: 'x', argv: [command], decoding: 'lines' }],
      { ...settings, every_seconds: 0.02 },
      { append, now: () => 1, authorised: () => false, send: sendNothing, secret: () => '' },
    )
  })
  return texts
}

test('each run is taken whole', async () => {
  expect(await bodies(3, ['echo', 'a'], {})).toEqual(['a\n', 'a\n', 'a\n'])
})

test('with only_changes, only lines that the run before did not print', async () => {
  const file = join(folder, 'output')
  writeFileSync(file, 'title\na\nb\n')
  const texts = await bodies(3, ['cat', file], { only_changes: true }, (so) => {
    if (so.length === 1) appendFileSync(file, 'c\n')
    if (so.length === 2) writeFileSync(file, 'title\nb\nc\nd\n')
  })
  expect(texts.map((text) => text.trim())).toEqual(['title\na\nb', 'c', 'd'])
})

test('a command that fails is a problem of the source until it works', async () => {
  const file = join(folder, 'later')
  const isShown = bodies(1, ['cat', file], {})
  while (intake === undefined || intake.status().problems?.length === 0) await new Promise((resolve) => setImmediate(resolve))
  expect(intake.status().problems).toEqual([expect.stringMatching(/^the command 'x' failed: it ended with exit code 1: cat: /)])
  writeFileSync(file, 'there\n')
  expect(await isShown).toEqual(['there\n'])
  expect(intake.status().problems).toEqual([])
})

test('the lines of a command have its log type', () => {
  const decoded = decodeBody(Buffer.from('xfs 1 0\n'), 'command-lines?log_type=Linux.KernelModules')
  expect(decoded).toMatchObject({ count: 1, hints: [{ from: 0, hints: { logType: 'Linux.KernelModules' } }] })
})
