import '@/styles/tokens.css';
import '@/styles/base.css';

import { createApp } from 'vue';

import { dress } from '@/app/settings';

import EmbedPage from './EmbedPage.vue';

dress();
createApp(EmbedPage).mount('#app');
