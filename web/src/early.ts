// Loaded beside the client and run before it: what the page begins with is on its way while the rest of the scripts still comes.

import { placeOf, routeOf } from '@/app/route';
import { early } from '@/app/store/early';
import { readSession } from '@/app/store/session';
import { Api } from '@/link/api';
import { Cache } from '@/link/cache';

export const api = new Api();
export const cache = new Cache();
export const place = placeOf(routeOf(location.hash));

const session = readSession();
api.token = session?.token ?? null;
export const asked = session && early(api, cache, session, place);
