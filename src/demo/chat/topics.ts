/** What is said in a room: kept, so that who comes back hears what was missed. */
export const talkOf = (room: string): string => `talk/${room}`
/** What else happens there: who is there, who types. Not kept. */
export const newsOf = (room: string): string => `news/${room}`
/** To everybody: which rooms there are. */
export const roomsTopic = 'rooms'
