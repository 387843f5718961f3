// Components that are loaded when they are first shown, together with what they say.

import { defineAsyncComponent, type Component } from 'vue';

import { words } from '@/words';

export const lazy = <C extends Component>(load: () => Promise<{ default: C }>): C =>
  defineAsyncComponent<C>(async () => {
    const [loaded] = await Promise.all([load(), words('later')]);
    return loaded.default;
  });
