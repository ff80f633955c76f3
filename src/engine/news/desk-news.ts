import type { News } from '../../model/news.ts'
import type { Desk, DeskAnswers, DeskAsk } from '../alert-desk.ts'

/** The same desk, which publishes the alerts that were changed. */
export function deskWithNews(desk: Desk, publish: (news: News) => void): Desk {
  return (async (ask: DeskAsk) => {
    const answer = await desk(ask)
    for (const subject of changedBy(ask, answer)) publish({ kind: 'alert.updated', subject })
    return answer
  }) as Desk
}

function changedBy(ask: DeskAsk, answer: DeskAnswers[DeskAsk['do']]): readonly string[] {
  switch (ask.do) {
    case 'change':
      return (answer as DeskAnswers['change']).filter(({ outcome }) => outcome === 'changed').map(({ alertId }) => alertId)
    case 'comment':
    case 'unmerge':
      return typeof answer === 'object' || answer === 'done' ? [ask.alertId] : []
    case 'merge': {
      const outcome = answer as DeskAnswers['merge']
      return outcome.kind === 'merged' ? [ask.parentId, ...ask.alertIds] : []
    }
    case 'hold':
      return answer === 'changed' ? [ask.alertId] : []
    default:
      return []
  }
}
