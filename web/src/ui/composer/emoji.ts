// Emoji by groups, as plain characters. Loaded when the picker is opened.

export type EmojiGroup = 'faces' | 'gestures' | 'hearts' | 'people' | 'nature' | 'food' | 'work' | 'travel' | 'signs';

const split = (text: string): readonly string[] => text.trim().split(/\s+/);

export const groups: readonly { readonly name: EmojiGroup; readonly sign: string; readonly all: readonly string[] }[] = [
  {
    name: 'faces',
    sign: '😄',
    all: split(
      '😀 😃 😄 😁 😆 😅 😂 🤣 😊 😇 🙂 🙃 😉 😌 😍 🥰 😘 😗 😋 😛 😜 🤪 😝 🤑 🤗 🤭 🤫 🤔 🤐 🤨 😐 😑 😶 😏 😒 🙄 😬 🤥 😔 😪 🤤 😴 😷 🤒 🤕 🤢 🤮 🤧 🥵 🥶 🥴 😵 🤯 🤠 🥳 😎 🤓 🧐 😕 😟 🙁 😮 😯 😲 😳 🥺 😦 😧 😨 😰 😥 😢 😭 😱 😖 😣 😞 😓 😩 😫 🥱 😤 😡 😠 🤬 😈 💀 💩 🤡 👻 👽 🤖 😺 😹 🙈 🙉 🙊',
    ),
  },
  {
    name: 'gestures',
    sign: '👍',
    all: split('👍 👎 👌 🤌 🤏 ✌️ 🤞 🤟 🤘 🤙 👈 👉 👆 👇 ☝️ ✋ 🤚 🖐️ 🖖 👋 👏 🙌 👐 🤲 🤝 🙏 💪 ✍️ 👊 ✊ 🤛 🤜 👀 👂 👃 🧠 💅 🤳'),
  },
  { name: 'hearts', sign: '❤️', all: split('❤️ 🧡 💛 💚 💙 💜 🖤 🤍 🤎 💔 💕 💞 💓 💗 💖 💘 💝 💯 💢 💥 💫 💦 💨 💤 ✨ 🌟 ⭐ 🔥 🎉 🎊') },
  {
    name: 'people',
    sign: '🙋',
    all: split('🙋 🙆 🙅 🤷 🤦 🙇 💁 🙎 🧑‍💻 👨‍💻 👩‍💻 🧑‍🔧 🧑‍🔬 🧑‍🏫 🧑‍⚕️ 🧑‍🍳 🧑‍🚒 👮 🕵️ 💂 👷 🧑‍🎓 🎅 🦸 🧙 🚶 🏃 🧘 🏊 🚴 👫 👪 👶 👦 👧 👨 👩 👴 👵'),
  },
  {
    name: 'nature',
    sign: '🌿',
    all: split('🐶 🐱 🐭 🐹 🐰 🦊 🐻 🐼 🐨 🐯 🦁 🐮 🐷 🐸 🐵 🐔 🐧 🐦 🦆 🦢 🦉 🐺 🐗 🐴 🦄 🐝 🐛 🦋 🐌 🐞 🐢 🐍 🐙 🦀 🐟 🐬 🐳 🐘 🐑 🐲 🌵 🎄 🌲 🌳 🌴 🌱 🌿 🍀 🎋 🍁 🍂 🍄 🌾 💐 🌷 🌹 🌸 🌼 🌻 🌞 🌙 ⛅ 🌧️ ⛈️ ❄️ ⛄ 🌈 🌊'),
  },
  {
    name: 'food',
    sign: '🍜',
    all: split('🍎 🍐 🍊 🍋 🍌 🍉 🍇 🍓 🍒 🍑 🥭 🍍 🥝 🍅 🥑 🌶️ 🌽 🥕 🥔 🍞 🧀 🥚 🍳 🥓 🍗 🍖 🍔 🍟 🍕 🌮 🥗 🍝 🍜 🍲 🍛 🍣 🍱 🥟 🍤 🍙 🍚 🍘 🥮 🍡 🍦 🎂 🍰 🍫 🍬 🍿 🥜 🍵 ☕ 🧋 🥤 🍺 🍻 🍷 🥂 🍶 🥢 🍽️'),
  },
  {
    name: 'work',
    sign: '💼',
    all: split('💼 💻 🖥️ ⌨️ 🖱️ 🖨️ 📱 ☎️ 📞 📷 🎥 🎧 🎤 📺 🔋 🔌 💡 🔦 📚 📖 📝 ✏️ 🖊️ 📄 📑 📊 📈 📉 📋 📌 📍 📎 🔗 ✂️ 📁 📂 🗂️ 📅 📆 ⏰ ⏳ ⌛ 🔒 🔓 🔑 🔧 🔨 🛠️ ⚙️ 🧪 🔬 🧯 🚒 📦 ✉️ 📧 📣 📢 🔔 🔕 🔍 🗑️ 💰 💳 🏆 🥇 🎁 🎈 🎮 🎲 🎯 🎵 🎨'),
  },
  { name: 'travel', sign: '✈️', all: split('🚗 🚕 🚌 🚑 🚓 🚚 🚲 🛵 🚇 🚄 🚆 ✈️ 🚀 🚁 ⛵ 🚢 ⚓ 🚦 🗺️ 🏠 🏢 🏥 🏦 🏨 🏫 🏭 🏰 ⛩️ 🌋 🏔️ 🏖️ 🏕️ 🌃 🌄 🌉 🎡 ⚽ 🏀 🏸 🏓 🎾 🏐 🎳 🏁 🚩') },
  {
    name: 'signs',
    sign: '✅',
    all: split('✅ ❌ ⭕ ❗ ❓ ⚠️ 🚫 ⛔ 🔴 🟠 🟡 🟢 🔵 🟣 ⚫ ⚪ 🔺 🔻 ➕ ➖ ✔️ ☑️ 🆗 🆕 🆒 🆘 🔝 🔜 ⬆️ ⬇️ ⬅️ ➡️ ↩️ 🔄 ♻️ ▶️ ⏸️ ⏹️ 🔊 🔇 1️⃣ 2️⃣ 3️⃣ 4️⃣ 5️⃣ #️⃣ 🈶 🈚 ㊗️ ㊙️ 🉐 🇨🇳 🏳️ 🏴'),
  },
];
