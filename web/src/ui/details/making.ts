// The dialog to make a group or a channel.

import { shallowRef } from 'vue';

export const making = shallowRef<'group' | 'channel' | null>(null);
