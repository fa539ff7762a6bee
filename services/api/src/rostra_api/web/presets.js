/** Debates to begin with. Those with a file are the ones of examples/ (tests/web/test_words.py compares them). */

export const EXAMPLES = {
  "english": {
    "motion": "A four-day week should be the law",
    "language": "en",
    "format": "round_robin",
    "rounds": 4,
    "opening": "Welcome, both of you. Make one point at a time, answer what was said last, and ask your opponent a question.",
    "debaters": [
      {
        "name": "Ada",
        "stance": "for the motion",
        "persona": "A nurse and union speaker who has seen what tired people do. Plain words, real cases.",
        "sampling": {
          "temperature": 0.7,
          "min_p": 0.05,
          "repeat_penalty": 1.1
        }
      },
      {
        "name": "Wilhelm",
        "stance": "against the motion",
        "persona": "The owner of a small joinery with nine employees. Dry humour, thinks in figures.",
        "sampling": {
          "temperature": 0.7,
          "min_p": 0.05,
          "repeat_penalty": 1.1
        }
      }
    ],
    "turn": {
      "max_characters": 400,
      "max_tokens": 150
    },
    "seed": 7,
    "metadata": {
      "example": "english"
    }
  },
  "japanese": {
    "motion": "次のアメリカ大統領選挙では共和党と民主党のどちらに投票するべきか",
    "language": "ja",
    "format": "round_robin",
    "rounds": 6,
    "opening": "回答に制限はありません。相手の意見をよく読み、同じことを繰り返さず、あなたの意見を80字で述べて相手に質問してください。",
    "debaters": [
      {
        "name": "バイデン",
        "stance": "民主党支持",
        "persona": "あなたはアメリカの民主党支持者として議論に参加します。医療と気候変動への取り組みを大切に考え、落ち着いて話します。",
        "sampling": {
          "temperature": 0.5,
          "top_k": 40,
          "repeat_penalty": 1.1
        }
      },
      {
        "name": "トランプ",
        "stance": "共和党支持",
        "persona": "あなたはアメリカの共和党支持者として議論に参加します。減税と国境の安全を大切に考え、はっきりと話します。",
        "sampling": {
          "temperature": 0.5,
          "top_k": 40,
          "repeat_penalty": 1.1
        }
      }
    ],
    "turn": {
      "max_characters": 80,
      "max_tokens": 200
    },
    "seed": 40
  },
  "german": {
    "motion": "Sollen Städte ihre Innenstädte für Autos sperren?",
    "language": "de",
    "format": "random",
    "rounds": 3,
    "opening": "Guten Abend. Nennen Sie bitte jeweils ein Argument und gehen Sie auf das ein, was zuletzt gesagt wurde.",
    "debaters": [
      {
        "name": "Jördis",
        "stance": "dafür",
        "persona": "Stadtplanerin, die jeden Tag mit dem Rad fährt. Sachlich, nennt Beispiele aus anderen Städten."
      },
      {
        "name": "Matthäus",
        "stance": "dagegen",
        "persona": "Bäcker mit einem Laden am Markt. Herzlich, denkt an seine Lieferungen und an ältere Kunden."
      },
      {
        "name": "Frau Öztürk",
        "stance": "unentschieden",
        "persona": "Busfahrerin. Fragt nach, was das im Alltag bedeutet, und sucht einen Mittelweg."
      }
    ],
    "turn": {
      "max_characters": 300,
      "max_tokens": 150
    },
    "seed": 3,
    "metadata": {
      "example": "german"
    }
  },
  "chinese": {
    "motion": "城市应该禁止私家车进入市中心吗？",
    "language": "zh",
    "format": "round_robin",
    "rounds": 3,
    "opening": "欢迎各位。请每次只讲一个理由，并先回应对方刚才的话。",
    "debaters": [
      {
        "name": "林晓",
        "stance": "支持",
        "persona": "城市规划师，每天骑车上下班。说话冷静，喜欢举别的城市的例子。"
      },
      {
        "name": "老周",
        "stance": "反对",
        "persona": "在市中心开了三十年早餐店。说话直爽，惦记着送货的师傅和上了年纪的客人。"
      }
    ],
    "turn": {
      "max_characters": 120,
      "max_tokens": 200
    },
    "phases": {
      "debate": {
        "sampling": {
          "temperature": 0.7,
          "top_p": 0.9
        }
      }
    },
    "seed": 8,
    "metadata": {
      "example": "chinese"
    }
  },
  "spanish": {
    "motion": "¿Debería ser gratuito el transporte público en todas las ciudades?",
    "format": "round_robin",
    "rounds": 3,
    "opening": "Buenas tardes. Un solo argumento por intervención, y respondan antes a lo que acaban de oír.",
    "debaters": [
      {
        "name": "Inés",
        "stance": "a favor",
        "persona": "Maestra que va a trabajar en autobús. Habla con calma y piensa en las familias con menos dinero."
      },
      {
        "name": "Ramón",
        "stance": "en contra",
        "persona": "Contable de un ayuntamiento. Pregunta siempre cuánto cuesta y quién lo paga."
      }
    ],
    "turn": {
      "max_characters": 300,
      "max_tokens": 150
    },
    "seed": 5,
    "metadata": {
      "example": "spanish"
    }
  },
};

/** Each shows something that Rostra can do; the texts are in the reader's language where there is one (`words/`). */
export const IDEAS = {
  short: (t) => ({ motion: t("idea.short.motion"), rounds: 2, turn: { max_characters: 300 } }),
  judged: (t) => ({ motion: t("idea.judged.motion"), rounds: 3, judge: { panel: 3 }, baselines: true, turn: { max_characters: 400 } }),
  oxford: (t) => ({ motion: t("idea.oxford.motion"), format: "oxford", audience: { size: 7 }, judge: { panel: 3 } }),
  council: (t) => ({ motion: t("idea.council.motion"), format: "council" }),
  yourself: (t) => ({
    motion: t("idea.yourself.motion"),
    rounds: 3,
    debaters: [
      { name: t("idea.yourself.you"), stance: t("idea.yourself.for"), human: true },
      { name: "Wilhelm", stance: t("idea.yourself.against"), persona: t("idea.yourself.persona") },
    ],
  }),
};
