// First passwords: long enough, and easy to read out and to type. Drawn by the browser's generator; kept nowhere.

/** Without letters that look or sound like others. */
const LETTERS = "abcdefghjkmnpqrstuvwxyz23456789";

/** Four groups of five: 20 of 31 signs, some 99 bits. */
export function firstPassword(): string {
  const signs: string[] = [];
  while (signs.length < 20) {
    for (const byte of crypto.getRandomValues(new Uint8Array(32))) {
      // Bytes above a multiple of the alphabet would favour its beginning.
      if (byte < 248 && signs.length < 20) signs.push(LETTERS[byte % LETTERS.length] ?? "");
    }
  }
  return [0, 5, 10, 15].map((at) => signs.slice(at, at + 5).join("")).join("-");
}
