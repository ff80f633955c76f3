import { createRoute } from '@hono/zod-openapi'
import { z } from 'zod'
import type { Engine } from '../../engine/engine.ts'
import { fromOf, requirePrivacy } from '../access/from.ts'
import { setCookies, signInWith } from '../access/signing-in.ts'
import { code, email, password, personName, userSchema, userView } from '../account-fields.ts'
import { ApiError, failures } from '../errors.ts'
import { createRouter } from '../router.ts'

const json = <T extends z.ZodType>(schema: T) => ({ 'application/json': { schema } })
const state = z.object({
  state: z.enum(['signed_in', 'code_needed']).describe('`code_needed`: a code of the authenticator app has to follow.'),
})

const offer = createRoute({
  method: 'get',
  path: '/api/v1/sign-in',
  summary: 'How people can sign in here.',
  responses: {
    200: {
      description: 'The ways.',
      content: json(
        z.object({
          needs_first_user: z
            .boolean()
            .describe('Nobody has an account yet: `caracal users first-link` prints where to create one.'),
          passwords: z.boolean(),
          provider: z
            .string()
            .nullable()
            .describe('What the single sign-on at `/sign-in/oidc` is called; null: there is no such.'),
        }),
      ),
    },
  },
})

const withPassword = createRoute({
  method: 'post',
  path: '/api/v1/sign-in',
  summary: 'Signs in with a password. The answer sets a cookie, which the calls of a browser are made with.',
  request: { body: { required: true, content: json(z.strictObject({ email, password })) } },
  responses: { 200: { description: 'It is right.', content: json(state) }, ...failures(400, 401, 403, 429) },
})

const withCode = createRoute({
  method: 'post',
  path: '/api/v1/sign-in/code',
  summary: 'The second step of signing in: a code of the authenticator app, or a recovery code.',
  request: { body: { required: true, content: json(z.strictObject({ code })) } },
  responses: { 200: { description: 'It is right.', content: json(state) }, ...failures(400, 401, 403, 429) },
})

const withLink = createRoute({
  method: 'post',
  path: '/api/v1/sign-in/link',
  summary: 'Sets a password with a one-time link. That of the first start creates the first administrator.',
  request: {
    body: {
      required: true,
      content: json(
        z.strictObject({
          code: code.describe('What follows `code=` in the link.'),
          password,
          email: email.optional().describe('For the first administrator.'),
          name: personName.optional().describe('For the first administrator.'),
        }),
      ),
    },
  },
  responses: { 200: { description: 'The user, who can sign in now.', content: json(userSchema) }, ...failures(400, 401, 403) },
})

const signOut = createRoute({
  method: 'post',
  path: '/api/v1/sign-out',
  summary: "Ends the caller's session. For a token there is nothing to end.",
  responses: { 200: { description: 'It has ended.', content: json(z.object({ state: z.literal('signed_out') })) } },
})

/** Routes by which people sign in and out. */
export function signInRoutes(engine: Engine) {
  const { accounts, config } = engine
  return createRouter()
    .openapi(offer, (c) =>
      c.json(
        {
          needs_first_user: accounts.users.list().length === 0,
          passwords: config.sign_in.passwords,
          provider: config.sign_in.oidc?.label ?? null,
        },
        200,
      ),
    )
    .openapi(withPassword, async (c) => c.json({ state: await signInWith(c, engine, c.req.valid('json')) }, 200))
    .openapi(withCode, async (c) => c.json({ state: await signInWith(c, engine, c.req.valid('json')) }, 200))
    .openapi(withLink, async (c) => {
      requirePrivacy(c, config)
      const { code: secret, ...answer } = c.req.valid('json')
      c.set('auditAs', { detail: { step: 'link' } })
      return c.json(userView(await followLink(engine, secret, answer)), 200)
    })
    .openapi(signOut, async (c) => {
      setCookies(c, await accounts.signIn.signOut(fromOf(c, config)))
      return c.json({ state: 'signed_out' as const }, 200)
    })
}

/** Uses a link up. Throws `ApiError` if that is not possible. */
export async function followLink(
  { accounts }: Pick<Engine, 'accounts'>,
  secret: string,
  answer: { readonly email?: string | undefined; readonly name?: string | undefined; readonly password: string },
) {
  const purpose = await accounts.links.purpose(secret)
  if (purpose?.kind === 'first' && (!answer.email || !answer.name))
    throw new ApiError(400, 'bad_request', 'the first administrator needs an email address and a name')
  const made = purpose ? await accounts.links.answer(secret, answer) : 'invalid'
  if (made === 'invalid')
    throw new ApiError(
      401,
      'unauthorized',
      'this link has been used, has expired or was replaced by another: an administrator makes a new one with `caracal users reset`, or `caracal users first-link` while there are no users',
    )
  if ('problem' in made) throw new ApiError(400, 'bad_request', made.problem)
  return made
}
