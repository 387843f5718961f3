// Loaded beside the client and run before it: what the page begins with, and the words that it says, are on their way while the
// rest of the scripts still comes.

import { readChosen } from '@/app/choices';
import { placeOf, routeOf } from '@/app/route';
import { early } from '@/app/store/early';
import { readSession } from '@/app/store/session';
import { Api } from '@/link/api';
import { Cache } from '@/link/cache';
import { load } from '@/words/parts';

load(readChosen().language, 'first').catch(() => {}); // the client says what becomes of it

export const api = new Api();
export const cache = new Cache();
export const place = placeOf(routeOf(location.hash));

const session = readSession();
api.token = session?.token ?? null;
export const asked = session && early(api, cache, session, place);
