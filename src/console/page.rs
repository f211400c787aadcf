//! The pages behind a message's link, in Japanese and English: fixed text, one
//! style sheet inside, nothing fetched from anywhere, nothing about anybody.

/// What a browser may do with a page: show it in its own style, and send its form
/// back to where it came from.
pub const POLICY: &str =
    "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// What a browser may do with a message: show it and its pictures as a mail program
/// does, run nothing, and follow its links.
pub const MESSAGE_POLICY: &str = "default-src 'none'; img-src https: http: data:; style-src 'unsafe-inline'; font-src https:; \
     form-action 'none'; base-uri 'none'; frame-ancestors 'none'; \
     sandbox allow-popups allow-popups-to-escape-sandbox allow-top-navigation-by-user-activation";

const CSS: &str = include_str!("page.css");

/// What a page says, in both languages.
#[derive(Clone, Copy, Debug)]
pub struct Page {
    ja: Said,
    en: Said,
    /// Whether it has the button.
    asks: bool,
}

/// A heading and a sentence or two.
#[derive(Clone, Copy, Debug)]
struct Said {
    title: &'static str,
    text: &'static str,
}

/// Asks whether the mail shall end.
pub const ASK: Page = Page {
    ja: Said {
        title: "メールの配信停止", text: "下のボタンを押すと、今後メールマガジンをお送りしません。"
    },
    en: Said { title: "Unsubscribe", text: "Press the button, and we will send you no more newsletters." },
    asks: true,
};

/// The mail has ended.
pub const DONE: Page = Page {
    ja: Said {
        title: "配信を停止しました",
        text: "今後メールマガジンをお送りしません。このページは閉じてかまいません。",
    },
    en: Said { title: "You are unsubscribed", text: "We will send you no more newsletters. You may close this page." },
    asks: false,
};

/// The link means nobody.
pub const UNKNOWN: Page = Page {
    ja: Said {
        title: "ページが見つかりません",
        text: "リンクが途中で切れていないか、メールのリンクをもう一度ご確認ください。何も変更していません。",
    },
    en: Said {
        title: "There is no such page",
        text: "Please see whether the link in the message was cut short. Nothing was changed.",
    },
    asks: false,
};

/// The message would be another one now.
pub const GONE: Page = Page {
    ja: Said {
        title: "このメールは表示できません",
        text: "お送りした時とご登録内容が変わったため、同じ内容を表示できません。お手元のメールをご覧ください。",
    },
    en: Said {
        title: "This message can no longer be shown",
        text: "The registration has changed since it was sent. Please see the message in your mailbox.",
    },
    asks: false,
};

/// The request cannot be read.
pub const REFUSED: Page = Page {
    ja: Said {
        title: "受け付けられませんでした",
        text: "メールのリンクをもう一度開いてください。何も変更していません。",
    },
    en: Said {
        title: "This request cannot be taken",
        text: "Please open the link in the message again. Nothing was changed.",
    },
    asks: false,
};

/// The store failed.
pub const FAILED: Page = Page {
    ja: Said {
        title: "ただいま処理できません",
        text: "何も変更していません。恐れ入りますが、しばらくしてからもう一度お試しください。",
    },
    en: Said { title: "Not possible right now", text: "Nothing was changed. Please try again in a few minutes." },
    asks: false,
};

/// Posts to the page's own address what a mail provider's one-click posts.
const FORM: &str = "<form method=\"post\">\n\
     <input type=\"hidden\" name=\"List-Unsubscribe\" value=\"One-Click\">\n\
     <button type=\"submit\">配信を停止する<span lang=\"en\">Unsubscribe</span></button>\n</form>\n";

impl Page {
    /// The whole page.
    pub fn html(self) -> String {
        let Page { ja, en, asks } = self;
        let form = if asks { FORM } else { "" };
        format!(
            "<!doctype html>\n<html lang=\"ja\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <title>{} · {}</title>\n<style>\n{CSS}</style>\n</head>\n<body>\n<main>\n\
             <h1>{}</h1>\n<p>{}</p>\n<div lang=\"en\">\n<h2>{}</h2>\n<p>{}</p>\n</div>\n{form}</main>\n</body>\n</html>\n",
            ja.title, en.title, ja.title, ja.text, en.title, en.text
        )
    }
}
