import { z } from 'zod'
import type { AlertStatus } from '../../model/alert.ts'
import { isOver, MAX_OWNER_CHARS, type WorkChange } from '../../model/alert-work.ts'
import { messageOf } from '../../util/errors.ts'
import { secretReference } from '../../util/secret.ts'
import type { DestinationDesk } from './destination.ts'

/** What decides which buttons a message has. */
export interface ButtonState {
  readonly status: AlertStatus
  /** It can be snoozed, and is not. */
  readonly canSnooze: boolean
  readonly isSnoozed: boolean
}

/** A button on the message of an alert. */
export interface SlackButton {
  readonly label: string
  readonly style?: 'primary' | 'danger'
  readonly isOffered: (state: ButtonState) => boolean
  /** What the person with this name changes by pressing it. */
  readonly change?: (name: string) => WorkChange
  /** How long the alert is snoozed by pressing it, in milliseconds; `undefined`: no longer. */
  readonly snooze?: { readonly forMs: number | undefined }
}

const SNOOZE_HOURS = 4

/** By `action_id`. */
export const SLACK_BUTTONS: Readonly<Record<string, SlackButton>> = {
  caracal_acknowledge: {
    label: 'Acknowledge',
    style: 'primary',
    isOffered: ({ status }) => status === 'OPEN',
    change: () => ({ status: 'TRIAGED' }),
  },
  caracal_assign: {
    label: 'Assign to me',
    isOffered: (state) => !isOver(state),
    change: (name) => ({ owner: name }),
  },
  caracal_resolve: {
    label: 'Resolve',
    isOffered: (state) => !isOver(state),
    change: () => ({ status: 'RESOLVED' }),
  },
  caracal_snooze: {
    label: `Snooze for ${SNOOZE_HOURS} hours`,
    isOffered: (state) => !isOver(state) && state.canSnooze,
    snooze: { forMs: SNOOZE_HOURS * 3_600_000 },
  },
  caracal_unsnooze: {
    label: 'End the snooze',
    isOffered: ({ isSnoozed }) => isSnoozed,
    snooze: { forMs: undefined },
  },
  caracal_reopen: {
    label: 'Open again',
    isOffered: (state) => isOver(state),
    change: () => ({ status: 'OPEN' }),
  },
}

/** The `buttons` block of a Slack destination. */
export const buttonsSchema = z.strictObject({
  app_token: secretReference.describe('App-level token (`xapp-…`) with the scope `connections:write`.'),
  people: z
    .record(
      z.string().regex(/^[UW][A-Z0-9]{2,30}$/, "a Slack member's id, such as U0123456789"),
      z
        .string()
        .max(MAX_OWNER_CHARS)
        .regex(/^[^\p{Cc}]*\S[^\p{Cc}]*$/u, 'a name, on one line'),
    )
    .default({})
    .describe('Who may press the buttons: Slack member id → name in Caracal, as in `{U0123456789: ana@example.com}`.'),
  others: z
    .enum(['refuse', 'allow'])
    .default('refuse')
    .describe('`allow`: everybody in the channel may press the buttons; who is not in `people` appears as `slack:U0123456789`.'),
})

export type ButtonsConfig = z.output<typeof buttonsSchema>

const MAX_ID = 100
const id = z.string().min(1).max(MAX_ID)

/** Source: https://docs.slack.dev/reference/interaction-payloads/block_actions-payload. */
const pressed = z.object({
  type: z.literal('block_actions'),
  api_app_id: id,
  team: z.object({ id }),
  user: z.object({ id: z.string().regex(/^[UW][A-Z0-9]{2,30}$/), team_id: id.optional() }),
  container: z.object({ type: z.literal('message'), message_ts: id, channel_id: id }),
  actions: z.array(z.object({ action_id: id, value: z.string().regex(/^[0-9a-f]{32}$/) })).length(1),
})

/** The only place that buttons are accepted from. */
export interface ButtonPlace {
  readonly app: string
  readonly workspace: string
  readonly channel: string
}

/** What to tell the person who pressed a button. */
export interface Reply {
  readonly user: string
  readonly text: string
}

/**
 * Carries out what a person did by pressing a button. Resolves with what to tell them if it was not done; with `undefined` if it was, or
 * if the button was not pressed where the alert was sent to, in which case there is no reply. Never rejects.
 */
export async function press(
  payload: unknown,
  place: ButtonPlace,
  { people, others }: Pick<ButtonsConfig, 'people' | 'others'>,
  desk: Pick<DestinationDesk, 'change' | 'snooze'>,
): Promise<Reply | undefined> {
  const read = pressed.safeParse(payload)
  if (!read.success) return undefined
  const { api_app_id: app, team, user, container, actions } = read.data
  if (app !== place.app || team.id !== place.workspace || container.channel_id !== place.channel) return undefined
  const [action] = actions
  const button = Object.hasOwn(SLACK_BUTTONS, action!.action_id) ? SLACK_BUTTONS[action!.action_id] : undefined
  if (!button) return undefined
  const reply = (text: string): Reply => ({ user: user.id, text })
  // In a channel shared with another organisation, its members see the message as well.
  const isMember = user.team_id === undefined || user.team_id === place.workspace
  const name = Object.hasOwn(people, user.id) ? people[user.id] : isMember && others === 'allow' ? `slack:${user.id}` : undefined
  if (name === undefined)
    return reply(
      `You cannot change alerts from Slack: ask for your member id ${user.id} to be added to this destination's people.`,
    )
  try {
    const what = { alertId: action!.value, reference: container.message_ts, by: name }
    const { change, snooze } = button
    const refusal = snooze ? await desk.snooze({ ...what, ...snooze }) : await desk.change({ ...what, change: change!(name) })
    return refusal === undefined ? undefined : reply(`Nothing was changed: ${refusal}.`)
  } catch (error) {
    return reply(`Nothing was changed, because of an error in Caracal: ${messageOf(error)}`)
  }
}
