// `npm run sizing`: what the model (simulate.mjs) says of the machine that was measured, of larger ones, and of three amounts of logs.
import { ASIDE_US, BYTES, path } from './costs.mjs'
import { simulate } from './simulate.mjs'

const SECONDS = 30

function run({ cores, lakeCores, makers, eventsPerSecond, perPost, seconds = SECONDS }) {
  return simulate({
    machines: { one: cores, ...(lakeCores && { lake: lakeCores }) },
    stations: path({ makers, ...(lakeCores && { lake: 'lake' }) }),
    aside: { one: ASIDE_US },
    until: 'commit',
    eventsPerSecond: () => eventsPerSecond,
    perPost,
    seconds,
    warmUpSeconds: seconds / 6,
  })
}

/** The highest rate that does not fall behind, events a second. */
function most(setting) {
  let [low, high] = [1000, 4_000_000]
  while (high / low > 1.02) {
    const rate = Math.sqrt(low * high)
    const { arrived, done } = run({ ...setting, eventsPerSecond: rate, perPost: 2000, seconds: 10 })
    if (done > arrived * 0.97) low = rate
    else high = rate
  }
  return low
}

const busiest = ({ stations }) => stations.reduce((a, b) => (b.busy > a.busy ? b : a))
const k = (n) => `${(n / 1000).toFixed(1)} k/s`

const two = most({ cores: 2, makers: 1 })
console.log(`two cores, posts of 2,000: at most ${k(two)}`)
for (const share of [0.1, 0.5, 0.8]) {
  const found = run({ cores: 2, makers: 1, eventsPerSecond: two * share, perPost: 100 })
  const { p50Ms, p99Ms } = found.stations.find(({ name }) => name === 'commit')
  console.log(
    `  ${share * 100} % of it, posts of 100: alert after p50 ${p50Ms.toFixed(1)} ms, p99 ${p99Ms.toFixed(1)} ms; ${found.coresUsed.one.toFixed(2)} cores`,
  )
}
console.log('\ncores, lake elsewhere, workers: at most, and what is busy then')
for (const [cores, lakeCores, makers] of [
  [2, 0, 1],
  [4, 0, 2],
  [8, 0, 4],
  [8, 8, 4],
  [16, 16, 8],
  [32, 32, 16],
]) {
  const rate = most({ cores, lakeCores, makers })
  const at = run({ cores, lakeCores, makers, eventsPerSecond: rate, perPost: 2000, seconds: 10 })
  const first = busiest(at)
  console.log(
    `  ${cores}, ${lakeCores || 'no'}, ${makers}: ${k(rate)} = ${((rate * BYTES.arriving * 86_400) / 1e12).toFixed(2)} TB a day; ${first.name} ${(first.busy * 100).toFixed(0)} % busy, ${at.coresUsed.one.toFixed(1)} cores`,
  )
}

const DAY = 86_400
/** How much more than the average arrives at the busiest hour. */
const PEAK = 5
const KEPT_DAYS = 30
const largest = most({ cores: 16, lakeCores: 16, makers: 8 })
const us = (names) =>
  path({})
    .filter(({ name }) => names.includes(name))
    .reduce((sum, { perEventUs }) => sum + perEventUs, 0)
const receiving = us(['receive', 'spool'])
const judging = us(['make', 'rules', 'commit']) + ASIDE_US
const storing = us(['lake'])
console.log(`\nµs an event: receiving ${receiving.toFixed(1)}, judging ${judging.toFixed(1)}, storing ${storing.toFixed(1)}`)
for (const [label, bytes] of [
  ['10 GB', 10e9],
  ['1 TB', 1e12],
  ['50 TB', 50e12],
]) {
  const average = bytes / BYTES.arriving / DAY
  const peak = average * PEAK
  const cores = (n) => ((peak * n) / 1e6).toFixed(1)
  console.log(
    `${label} a day: ${k(average)} on average, ${k(peak)} at peak; cores at peak: receiving ${cores(receiving)}, judging ${cores(judging)}, storing ${cores(storing)}; ${((average * DAY * KEPT_DAYS * BYTES.stored) / 1e12).toFixed(1)} TB for ${KEPT_DAYS} days; ${Math.max(1, Math.ceil(peak / largest))} × the most that one active node commits`,
  )
}
