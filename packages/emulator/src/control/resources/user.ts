/** There is one user, and it is always the same. */
export const USER_ID = 'user_emulator'

export const USER_EMAIL = 'emulator@localhost'
