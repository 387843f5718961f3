// What can wait until something else is seen.

/** So many frames are begun. */
export const frames = async (n: number): Promise<void> => {
  for (; n > 0; n -= 1) await new Promise((done) => requestAnimationFrame(done));
};

/** What is in the page now is painted; at once in a page that nobody sees. */
export async function painted(): Promise<void> {
  if (document.hidden) return;
  await frames(1);
  await new Promise((done) => setTimeout(done));
}
