import type { AuthRequestRecord } from '../records.ts'

const names: Record<AuthRequestRecord['state'], string> = {
  PENDING: 'waits for you',
  APPROVED: 'is approved; you can close this page',
  DENIED: 'is denied; you can close this page',
  CONSUMED: 'was used; you can close this page',
  EXPIRED: 'has expired; start the login again',
}

/** The page that asks a person, and afterwards tells what was answered. */
export function toLoginPage(request: AuthRequestRecord): string {
  const form =
    request.state === 'PENDING'
      ? `<p>A program on this machine asks for the API key of the emulator.</p>
<form method="post" action="/flash/login">
<input type="hidden" name="request" value="${escapeHtml(request.id)}">
<input type="hidden" name="token" value="${escapeHtml(request.formToken)}">
<button name="decision" value="approve">Approve</button>
<button name="decision" value="deny">Deny</button>
</form>`
      : ''
  return toPage(`The login ${names[request.state]}.`, form)
}

export function toPage(title: string, content = ''): string {
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Login to the emulator</title>
<style>body { font: 1rem/1.5 system-ui; max-width: 32rem; margin: 4rem auto; padding: 0 1rem } button { font: inherit }</style>
<h1>${escapeHtml(title)}</h1>
${content}
</html>
`
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)
}
