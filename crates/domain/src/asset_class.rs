//! The five classes of a loan (五级分类), as far as days past due decide them.
//!
//! 《商业银行金融资产风险分类办法》 (银保监会、人民银行令〔2023〕第1号, in force since 1 July 2023): overdue is at least 关注,
//! more than 90 days 次级, more than 270 可疑, more than 360 损失; a restructured loan is at least 关注. Days that our side or
//! the channel caused are no days past due ([`crate::loan::Event::Excused`]), which is what the rule's exception for short
//! operational delay is for. An institution may class a loan worse for reasons of its own, never better. The figures are
//! to be confirmed against the official text before a pack is called complete.

use serde::{Deserialize, Serialize};

/// The class of a loan, the best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AssetClass {
    /// Paid as agreed (正常).
    Normal,
    /// Something stands against it (关注).
    SpecialMention,
    /// It will not be paid in full in the ordinary way (次级).
    Substandard,
    /// A large part will be lost (可疑).
    Doubtful,
    /// All or nearly all will be lost (损失).
    Loss,
}

impl AssetClass {
    /// The class of a loan that is so many days past due; no days count within grace.
    pub const fn of(days_past_due: i64, is_restructured: bool) -> AssetClass {
        match days_past_due {
            361.. => AssetClass::Loss,
            271.. => AssetClass::Doubtful,
            91.. => AssetClass::Substandard,
            1.. => AssetClass::SpecialMention,
            _ if is_restructured => AssetClass::SpecialMention,
            _ => AssetClass::Normal,
        }
    }

    /// Its number in reports, 1 to 5.
    pub const fn number(self) -> u8 {
        match self {
            AssetClass::Normal => 1,
            AssetClass::SpecialMention => 2,
            AssetClass::Substandard => 3,
            AssetClass::Doubtful => 4,
            AssetClass::Loss => 5,
        }
    }
}
