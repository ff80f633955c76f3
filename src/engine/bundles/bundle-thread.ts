import { answerSideWork } from '../side-work.ts'
import { makeBundle } from './make.ts'

await answerSideWork(makeBundle)
