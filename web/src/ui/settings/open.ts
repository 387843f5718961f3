// The dialog for a few words about oneself.

import { shallowRef } from 'vue';

export const settingStatus = shallowRef(false);
