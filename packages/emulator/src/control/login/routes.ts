import { AppError, errorCodes } from '@flash/protocol'
import { isSameKey } from '../authorization.ts'
import { readLimited } from '../body.ts'
import { refused } from '../refuse.ts'
import { decideAuthRequest, getAuthRequest } from '../resources/auth-requests.ts'
import type { AccountContext } from '../store.ts'
import { toLoginPage, toPage } from './page.ts'

/** `/flash/login?request={id}`: the page, and its form. */
export async function answerLogin(ctx: AccountContext, request: Request): Promise<Response> {
  try {
    if (request.method === 'GET') {
      const id = new URL(request.url).searchParams.get('request') ?? ''
      return toHtml(200, toLoginPage(getAuthRequest(ctx, id)))
    }
    if (request.method !== 'POST')
      return toHtml(405, toPage('This page knows GET and POST.'), { allow: 'GET, POST' })
    checkSameOrigin(request)
    return toHtml(200, toLoginPage(await decide(ctx, request)))
  } catch (error) {
    if (!(error instanceof AppError)) throw error
    return toHtml(errorCodes[error.code].status, toPage(error.message))
  }
}

/** A form is small. */
const FORM_BYTES = 10_000

async function decide(ctx: AccountContext, request: Request) {
  const body = await readLimited(request, FORM_BYTES)
  const form = new URLSearchParams(new TextDecoder().decode(body))
  const authRequest = getAuthRequest(ctx, form.get('request') ?? '')
  if (!isSameKey(form.get('token') ?? undefined, authRequest.formToken))
    throw new AppError('FORBIDDEN', { message: 'this form is not of this page', hint: 'load the page again' })
  const decision = form.get('decision')
  if (decision !== 'approve' && decision !== 'deny') throw refused('the form says neither approve nor deny')
  decideAuthRequest(ctx, authRequest.id, decision === 'approve')
  return getAuthRequest(ctx, authRequest.id)
}

/** Only a form of this very page may decide; browsers say where a form comes from. */
function checkSameOrigin(request: Request): void {
  const site = request.headers.get('sec-fetch-site')
  const origin = request.headers.get('origin')
  const isSame = site === null ? origin === new URL(request.url).origin : site === 'same-origin'
  if (!isSame)
    throw new AppError('FORBIDDEN', {
      message: 'a page of another site may not answer for you',
      hint: 'open the address that the program printed',
    })
}

function toHtml(status: number, html: string, headers: Record<string, string> = {}): Response {
  return new Response(html, {
    status,
    headers: {
      'content-type': 'text/html; charset=utf-8',
      'cache-control': 'no-store',
      'content-security-policy':
        "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
      // Without a referrer, browsers would call the origin of its form `null`.
      'referrer-policy': 'same-origin',
      'x-content-type-options': 'nosniff',
      ...headers,
    },
  })
}
