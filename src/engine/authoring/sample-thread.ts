import { answerSideWork } from '../side-work.ts'
import { readSamples, type SampleAsk } from './samples.ts'

await answerSideWork((ask: SampleAsk) => readSamples(ask))
