// Log-outs that the server has not heard of: their tokens are kept, and ended when it can be reached again.

import { Api, Problem } from '@/link/api';

const KEY = 'hongyan.ending';

const kept = (): readonly string[] => (localStorage.getItem(KEY) ?? '').split(' ').filter(Boolean);

function keep(tokens: readonly string[]): void {
  if (tokens.length) localStorage.setItem(KEY, tokens.join(' '));
  else localStorage.removeItem(KEY);
}

/** True when it has ended; else it is tried again by `endTokens`. */
export async function endToken(root: URL, token: string): Promise<boolean> {
  const others = (): readonly string[] => kept().filter((one) => one !== token);
  const api = new Api(root);
  api.token = token;
  keep([...others(), token]);
  try {
    await api.post('v1/logout', {}, { timeout: 5_000 });
  } catch (error) {
    if (!(error instanceof Problem) || (error.passing && !error.ended)) return false;
  }
  keep(others());
  return true;
}

export function endTokens(root: URL): void {
  for (const token of kept()) void endToken(root, token);
}
