// The beginning of the page that other sites show in a frame: docs/guide/embedding.md.

import '@/embed/memory';

import { readChosen } from '@/app/choices';
import { load } from '@/words/parts';

load(readChosen().language, 'first').catch(() => {}); // beside the client, which says what becomes of it
void import('@/embed/main'); // not before that
