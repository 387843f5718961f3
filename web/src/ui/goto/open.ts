// `Ctrl-K`, and the map of the keyboard with `?`.

import { shallowRef } from 'vue';

export const finding = shallowRef(false);
export const showingKeys = shallowRef(false);
