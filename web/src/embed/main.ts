import '@/styles/tokens.css';
import '@/styles/base.css';

import { createApp } from 'vue';

import { dress } from '@/app/settings';
import { words } from '@/words';

import EmbedPage from './EmbedPage.vue';

dress();
void words().then(() => createApp(EmbedPage).mount('#app'));
