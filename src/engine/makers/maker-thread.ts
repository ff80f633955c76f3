import { parentPort, workerData } from 'node:worker_threads'
import { Rpc } from '../../util/rpc.ts'
import { Maker } from './maker.ts'
import type { MakerCalls, MakerNews, MakerOptions } from './maker-calls.ts'

const pipeline = new Rpc<MakerNews, MakerCalls>(parentPort!)
pipeline.serve(new Maker(workerData as MakerOptions, pipeline))
