import { answerSideWork } from '../side-work.ts'
import { type TrialAsk, trial } from './trial.ts'

await answerSideWork((ask: TrialAsk) => trial(ask))
