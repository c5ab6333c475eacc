const kSecond = 1000
let second = -1
let text = ''

/** The value of a `date` field for now (RFC 9110, section 6.6.1). */
export function httpDate(): string {
  const now = Date.now()
  const current = Math.floor(now / kSecond)
  if (current !== second) {
    second = current
    text = new Date(now).toUTCString()
  }
  return text
}
