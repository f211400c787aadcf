//! Directories of many countries, scripts and patterns of IDs: what is true of one must be
//! true of each.

use super::world::{Shape, World};

/// One directory: what it is like, and its accounts by the columns of
/// [`super::world::COLUMNS`].
pub struct Directory {
    pub name: &'static str,
    pub shape: Shape,
    pub rows: &'static [[&'static str; 8]],
}

impl Directory {
    /// The directory, and a guard that knows it.
    pub fn world(&self) -> World {
        let rows: Vec<[String; 8]> = self.rows.iter().map(|row| row.map(str::to_owned)).collect();
        World { rounds: 1, ..World::of_shape(&self.shape, &rows) }
    }
}

const fn shape(pattern: &'static str, country: &'static str) -> Shape {
    Shape { pattern, country }
}

/// Every directory. All people, bodies, addresses and numbers are made up.
pub const DIRECTORIES: &[Directory] = &[
    Directory {
        name: "a Japanese registrar whose IDs begin with 4",
        shape: shape("4[0-9]{7}", "JP"),
        rows: &[
            ["48201937", "hanako@aozora-boeki.example", "", "aozora-boeki.example;あおぞら貿易.example", "03-5512-7781", "鈴木 花子", "有限会社青空貿易", ""],
            ["45517264", "ken@midori-engei.example", "", "midori-engei.example", "06-6543-2109", "小林健一郎", "株式会社みどり園芸", ""],
            ["46640982", "sasaki@sasaki-dental.example", "", "sasaki-dental.example", "011-205-6620", "佐々木 翔太郎", "医療法人社団佐々木歯科医院", ""],
        ],
    },
    Directory {
        name: "an American service",
        shape: shape("[A-Z]{2}[0-9]{6}", "US"),
        rows: &[
            ["QX408199", "jonathan@whitfield-garden.example", "", "whitfield-garden.example", "212-555-0187", "Jonathan Whitfield", "Whitfield Garden Supplies, Inc.", ""],
            ["BR771053", "maria@delacruz-tiles.example", "", "delacruz-tiles.example", "(415) 555-0134", "Maria de la Cruz", "De la Cruz Tiles LLC", ""],
            ["KM290816", "ann@bluewater-labs.example", "", "bluewater-labs.example", "617.555.0171", "Ann-Marie O'Brannigan", "Bluewater Labs Corp.", ""],
        ],
    },
    Directory {
        name: "a German host",
        shape: shape("K-[0-9]{5}-[0-9]{2}", "DE"),
        rows: &[
            ["K-40817-29", "juergen@weissenfels-bau.example", "", "weissenfels-bau.example;weißenfels.example", "030 9018 2044", "Jürgen Weißenfels", "Weißenfels Bau GmbH & Co. KG", ""],
            ["K-62900-18", "petra@moeller-soehne.example", "", "moeller-soehne.example", "+49 89 2180 4455", "Petra Möller-Lüdenscheidt", "Möller & Söhne OHG", ""],
            ["K-73014-55", "anke@strandkorb-kiel.example", "", "strandkorb-kiel.example", "0431/880-1234", "Anke Großkopf", "Strandkorb Kiel e.K.", ""],
        ],
    },
    Directory {
        name: "a French shop",
        shape: shape("[0-9]{9}", "FR"),
        rows: &[
            ["408172993", "helene@lefevre-dubois.example", "", "lefevre-dubois.example", "01 99 00 12 34", "Hélène Lefèvre-Dubois", "Boulangerie Béranger S.A.R.L.", ""],
            ["629001847", "francois@garcon-velo.example", "", "garcon-velo.example", "+33 6 39 98 45 67", "François Garçon", "Vélo Garçon SAS", ""],
            ["730145528", "zoe@noel-fleurs.example", "", "noel-fleurs.example;noël-fleurs.example", "04 65 71 23 45", "Zoé Noël-Bertrand", "Fleurs Noël SA", ""],
        ],
    },
    Directory {
        name: "a Russian provider",
        shape: shape("[0-9]{10}", "RU"),
        rows: &[
            ["4081729935", "alexey@romashka-plus.example", "", "romashka-plus.example;ромашка-плюс.example", "8 (495) 123-45-67", "Алексей Соловьёв", "ООО «Ромашка Плюс»", ""],
            ["6290018471", "olga@severny-veter.example", "", "severny-veter.example", "+7 812 309-12-44", "Ольга Щербакова", "АО Северный Ветер", ""],
            ["7301455284", "ivan@kedr-stroy.example", "", "kedr-stroy.example", "8 383 227-55-10", "Иван Петрович Жуковский", "ЗАО Кедр Строй", ""],
        ],
    },
    Directory {
        name: "a Korean registrar",
        shape: shape("[0-9]{7}", "KR"),
        rows: &[
            ["4081729", "minji@pureun-bada.example", "", "pureun-bada.example;푸른바다.example", "02-312-4567", "선우민지", "주식회사 푸른바다", ""],
            ["6290018", "byul@hanul-soft.example", "", "hanul-soft.example", "010-2345-6789", "황보하늘별", "하늘소프트 주식회사", ""],
            ["7301455", "seo@namu-books.example", "", "namu-books.example", "+82 51 123 4567", "남궁서연", "나무책방 유한회사", ""],
        ],
    },
    Directory {
        name: "a Chinese registrar",
        shape: shape("C[0-9]{8}", "CN"),
        rows: &[
            ["C40817299", "minghua@haifeng-trade.example", "", "haifeng-trade.example;海风贸易.example", "010-8234-5678", "欧阳明华", "青岛海风贸易有限公司", ""],
            ["C62900184", "xue@beifang-shuiku.example", "", "beifang-shuiku.example", "138 1234 5678", "司马雪莲", "北方水库科技股份有限公司", ""],
            ["C73014552", "lan@nanshan-tea.example", "", "nanshan-tea.example", "+86 755 2345 6789", "上官兰心", "南山茶业有限公司", ""],
        ],
    },
    Directory {
        name: "a Turkish registrar",
        shape: shape("TR[0-9]{7}", "TR"),
        rows: &[
            ["TR4081729", "ibrahim@isikoglu.example", "", "isikoglu.example", "0212 345 67 89", "İbrahim Işıkoğlu", "Yıldız Yazılım A.Ş.", ""],
            ["TR6290018", "cigdem@sahin-insaat.example", "", "sahin-insaat.example", "+90 312 456 78 90", "Çiğdem Şahin", "Şahin İnşaat Ltd. Şti.", ""],
            ["TR7301455", "ugur@guzelova.example", "", "guzelova.example", "0532 123 45 67", "Uğur Güzelova", "Güzelova Tarım A.Ş.", ""],
        ],
    },
    Directory {
        name: "a Greek registrar",
        shape: shape("[0-9]{7}-[A-Z]", "GR"),
        rows: &[
            ["4081729-K", "giorgos@papadopoulos-ship.example", "", "papadopoulos-ship.example;παπαδόπουλος.example", "210 123 4567", "Γιώργος Παπαδόπουλος", "Αφοί Νικολάου Α.Ε.", ""],
            ["6290018-M", "eleni@thalassa-fish.example", "", "thalassa-fish.example", "+30 231 0567 890", "Ελένη Χατζηδάκη", "Θάλασσα Ψάρια Ε.Π.Ε.", ""],
            ["7301455-P", "nikos@elia-press.example", "", "elia-press.example", "2610 987654", "Νίκος Σταυρίδης", "Ελιά Εκδόσεις Ο.Ε.", ""],
        ],
    },
    Directory {
        name: "a Thai registrar",
        shape: shape("[0-9]{8}", "TH"),
        rows: &[
            ["40817299", "somchai@thale-suai.example", "", "thale-suai.example", "02 123 4567", "สมชาย ใจดีมาก", "บริษัท ทะเลสวย จำกัด", ""],
            ["62900184", "malee@dokmai-online.example", "", "dokmai-online.example", "081 234 5678", "มาลี ดอกไม้งาม", "บริษัท ดอกไม้ออนไลน์ จำกัด", ""],
            ["73014552", "prasert@khao-hom.example", "", "khao-hom.example", "+66 53 210 987", "ประเสริฐ ข้าวหอม", "ข้าวหอม จำกัด", ""],
        ],
    },
    Directory {
        name: "an Arabic registrar",
        shape: shape("[0-9]{8}", "SA"),
        rows: &[
            ["40817299", "mohammed@alnoor-trade.example", "", "alnoor-trade.example", "011 234 5678", "محمد الشريف", "شركة النور للتجارة", ""],
            ["62900184", "fatima@zahra-design.example", "", "zahra-design.example", "+966 50 123 4567", "فاطمة الزهراء", "مؤسسة الزهراء للتصميم", ""],
            ["73014552", "khalid@najm-tech.example", "", "najm-tech.example", "012 654 3210", "خالد عبد الله", "شركة النجم التقنية", ""],
        ],
    },
    Directory {
        name: "a British service with mixed letters and digits",
        shape: shape("[A-Z0-9]{7}", "GB"),
        rows: &[
            ["7K2MX4Q", "ada@ashgrove-foundry.example", "", "ashgrove-foundry.example", "020 7946 0958", "Ada Ashgrove", "Ashgrove Foundry Ltd", ""],
            ["P4R8ZT6", "bea@longfellow-books.example", "", "longfellow-books.example", "+44 113 496 0123", "Beatrice O'Longfellow", "Longfellow & Daughters plc", ""],
            ["M93XB7K", "hugh@tarnside-tea.example", "", "tarnside-tea.example", "01539 496 321", "Hugh Tarnside-Smythe", "Tarnside Tea Company", ""],
        ],
    },
    Directory {
        name: "an Indian registrar whose IDs have letters around",
        shape: shape("IN[0-9]{6}X", "IN"),
        rows: &[
            ["IN408172X", "lakshmi@narayan-silk.example", "", "narayan-silk.example", "022 2345 6789", "Lakshmi Narayanan", "Narayan Silk Pvt. Ltd.", ""],
            ["IN629001X", "vikram@chandra-solar.example", "", "chandra-solar.example", "+91 98765 43210", "Vikram Chandrasekhar", "Chandra Solar LLP", ""],
            ["IN730145X", "meera@godavari-rice.example", "", "godavari-rice.example", "080 4123 4567", "Meera Godavari", "Godavari Rice Mills", ""],
        ],
    },
];
