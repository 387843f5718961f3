// The beginning of the page that other sites show in a frame: docs/guide/embedding.md.

import '@/embed/memory';

void import('@/embed/main'); // not before that
